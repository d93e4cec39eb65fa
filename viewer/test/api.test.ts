import assert from 'node:assert/strict';
import { test } from 'node:test';
import { problem } from '../src/api.ts';

test('only the code stale is stale', () => {
  const body = { code: 'stale', revision: 3, answers: {}, evidence: {}, saved_at: null };
  assert.deepEqual(problem(409, body), { kind: 'stale', body });
});

for (const code of ['wrong_state', 'protocol_changed', 'too_early', undefined]) {
  test(`409 with the code ${code} is the server's sentence`, () => {
    const body = { detail: 'The study is frozen.', ...(code === undefined ? {} : { code }) };
    assert.deepEqual(problem(409, body), { kind: 'blocked', sentence: 'The study is frozen.' });
  });
}

test('409 without a sentence still says something', () => {
  const outcome = problem(409, { code: 'wrong_state', detail: '' });
  assert.ok(outcome.kind === 'blocked' && outcome.sentence.length > 0);
});
