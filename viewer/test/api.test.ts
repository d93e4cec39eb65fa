import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Api, problem } from '../src/api.ts';
import type { RoomFacts } from '../src/wire.ts';

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

test('an answer that says yes and is cut off has closed the case; the next one is asked for', async () => {
  globalThis.fetch = async () => new Response('{"locked": true, "ne', { status: 200 });
  const api = new Api({ csrf: 'token' } as RoomFacts);
  assert.deepEqual(await api.lock('/lock', 4), { kind: 'ok', body: { next: null } });
  assert.equal((await api.save('/save', 4, { answers: {}, evidence: {} } as never)).kind, 'failed');
});

test('a closed case brings the next one along; images that are here already are told by their mark', async () => {
  const stacks = [{ id: 'k1', frames: [] }];
  const reading = { id: 'r2', stacks: [] as unknown[], as_ahead: true };
  const sent: unknown[] = [];
  const answers: unknown[] = [{ reading: { stacks, mark: 'm2' } }, { next: { reading } }, { next: null }];
  globalThis.fetch = async (_url, init) => {
    sent.push(JSON.parse(String(init?.body ?? 'null')));
    return Response.json(answers.shift());
  };
  const api = new Api({ csrf: 'token', upcoming_url: '/upcoming' } as RoomFacts);
  await api.upcoming();
  const locked = await api.lock('/lock', 4);
  assert.deepEqual(sent[1], { base: 4, onward: true, ahead: 'm2' });
  assert.ok(locked.kind === 'ok');
  assert.deepEqual(locked.body.next?.reading?.stacks, stacks);
  const aside = await api.setAside('/aside', 'It flickers.');
  assert.deepEqual([aside.kind, sent[2]], ['ok', { reason: 'It flickers.', onward: true, ahead: 'm2' }]);
});
