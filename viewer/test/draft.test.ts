import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Draft, type DraftEvent, type Effect, pending, sameContent, start, step } from '../src/draft.ts';
import type { Content } from '../src/wire.ts';

const content = (n: number, comment?: string): Content => ({
  answers: comment === undefined ? { 'disc.case': n } : { 'disc.case': n, comment },
  evidence: {},
  kept: [],
});

function play(draft: Draft, ...events: readonly DraftEvent[]): { draft: Draft; effects: Effect[] } {
  let effects: Effect[] = [];
  let now = draft;
  for (const event of events) {
    const next = step(now, event);
    now = next.draft;
    effects = [...next.effects];
  }
  return { draft: now, effects };
}

const sent = (effects: readonly Effect[]) => effects.find((e) => e.kind === 'send');
const ack = (revision: number): DraftEvent => ({
  kind: 'acknowledged',
  revision,
  savedAt: '2026-11-22T14:02:11Z',
});

test('a change is remembered and sent at once against the base revision', () => {
  const { draft, effects } = play(start(3, null), { kind: 'changed', content: content(1) });
  assert.equal(draft.state, 'saving');
  assert.deepEqual(
    effects.map((e) => e.kind),
    ['remember', 'send'],
  );
  assert.deepEqual(sent(effects), { kind: 'send', base: 3, content: content(1) });
});

test('changes during a save wait in order and each goes out on the revision before it', () => {
  let { draft, effects } = play(
    start(3, null),
    { kind: 'changed', content: content(1) },
    { kind: 'changed', content: content(2) },
    { kind: 'changed', content: content(3) },
  );
  assert.equal(pending(draft), 3);
  assert.equal(sent(effects), undefined);
  ({ draft, effects } = play(draft, ack(4)));
  assert.deepEqual(sent(effects), { kind: 'send', base: 4, content: content(2) });
  ({ draft, effects } = play(draft, ack(5)));
  assert.deepEqual(sent(effects), { kind: 'send', base: 5, content: content(3) });
  ({ draft, effects } = play(draft, ack(6)));
  assert.equal(draft.state, 'clean');
  assert.equal(draft.base, 6);
  assert.deepEqual(effects, [{ kind: 'forget' }]);
});

test('a failed save waits ever longer, keeps everything, and repeats the same document and base', () => {
  let { draft, effects } = play(start(0, null), { kind: 'changed', content: content(1) }, { kind: 'failed' });
  assert.equal(draft.state, 'waiting');
  assert.deepEqual(effects, [{ kind: 'retry', inMs: 1000 }]);
  ({ draft, effects } = play(draft, { kind: 'changed', content: content(2) }));
  assert.equal(pending(draft), 2);
  ({ draft, effects } = play(draft, { kind: 'retry' }));
  assert.deepEqual(sent(effects), { kind: 'send', base: 0, content: content(1) });
  ({ draft, effects } = play(draft, { kind: 'failed' }));
  assert.deepEqual(effects, [{ kind: 'retry', inMs: 2000 }]);
  for (let i = 0; i < 10; i += 1) ({ draft, effects } = play(draft, { kind: 'retry' }, { kind: 'failed' }));
  assert.deepEqual(effects, [{ kind: 'retry', inMs: 15000 }]);
});

test('signed out keeps the queue and goes on after the sign-in', () => {
  const { draft } = play(start(1, null), { kind: 'changed', content: content(1) }, { kind: 'signed_out' });
  assert.equal(draft.state, 'signed_out');
  const again = play(draft, { kind: 'retry' });
  assert.deepEqual(sent(again.effects), { kind: 'send', base: 1, content: content(1) });
});

test('stale with the very document being sent is the lost answer to an earlier try', () => {
  const { draft } = play(
    start(1, null),
    { kind: 'changed', content: content(1) },
    { kind: 'stale', theirs: { revision: 2, savedAt: null, content: content(1) } },
  );
  assert.equal(draft.state, 'clean');
  assert.equal(draft.base, 2);
});

test('stale: both versions are written whichever is chosen', () => {
  const theirs = { revision: 5, savedAt: null, content: content(9) };
  const { draft } = play(start(1, null), { kind: 'changed', content: content(1) }, { kind: 'stale', theirs });
  assert.equal(draft.state, 'stale');

  const mine = play(draft, { kind: 'choose', version: 'mine' });
  assert.deepEqual(sent(mine.effects), { kind: 'send', base: 5, content: content(1) });
  assert.equal(pending(mine.draft), 1);

  const other = play(draft, { kind: 'choose', version: 'theirs' });
  assert.deepEqual(sent(other.effects), { kind: 'send', base: 5, content: content(1) });
  const then = play(other.draft, ack(6));
  assert.deepEqual(sent(then.effects), { kind: 'send', base: 6, content: content(9) });
  assert.equal(play(then.draft, ack(7)).draft.state, 'clean');
});

test('what is answered before the choice between two versions is kept, and is what the page goes on with', () => {
  const theirs = { revision: 5, savedAt: null, content: content(9) };
  const stale = play(start(1, null), { kind: 'changed', content: content(1) }, { kind: 'stale', theirs });
  const later = play(
    stale.draft,
    { kind: 'changed', content: content(2) },
    { kind: 'changed', content: content(2, 'a'), typing: true },
    { kind: 'changed', content: content(2, 'ab'), typing: true },
  );
  assert.equal(later.draft.state, 'stale');
  assert.deepEqual(later.draft.queue, [content(1), content(2), content(2, 'ab')]);
  assert.deepEqual(later.effects, [{ kind: 'remember' }]);
  for (const version of ['mine', 'theirs'] as const) {
    const { effects } = play(later.draft, { kind: 'choose', version });
    assert.deepEqual(sent(effects), { kind: 'send', base: 5, content: content(2, 'ab') });
  }
});

test('typing is sent at the pause only, and newer text replaces older', () => {
  let { draft, effects } = play(
    start(0, null),
    { kind: 'changed', content: content(1, 'a'), typing: true },
    { kind: 'changed', content: content(1, 'ab'), typing: true },
  );
  assert.equal(draft.state, 'dirty');
  assert.equal(pending(draft), 1);
  assert.deepEqual(effects, [{ kind: 'remember' }]);
  ({ draft, effects } = play(draft, { kind: 'flush' }));
  assert.deepEqual(sent(effects), { kind: 'send', base: 0, content: content(1, 'ab') });
  ({ draft } = play(draft, { kind: 'changed', content: content(1, 'abc'), typing: true }));
  assert.equal(pending(draft), 2, 'what is in flight is never replaced');
});

test('a refused document stays until its correction replaces it', () => {
  const faults = [{ cell: 'disc.case', message: 'no' }];
  const { draft } = play(
    start(0, null),
    { kind: 'changed', content: content(1) },
    { kind: 'refused', faults },
  );
  assert.equal(draft.state, 'refused');
  assert.deepEqual(draft.faults, faults);
  const next = play(draft, { kind: 'changed', content: content(2) });
  assert.deepEqual(sent(next.effects), { kind: 'send', base: 0, content: content(2) });
  assert.equal(pending(next.draft), 1);
});

test('after the lock nothing is written and the copy is forgotten', () => {
  const { draft, effects } = play(start(4, null), { kind: 'locked' });
  assert.deepEqual(effects, [{ kind: 'forget' }]);
  assert.deepEqual(step(draft, { kind: 'changed', content: content(1) }), { draft, effects: [] });
});

test('unsent documents of an earlier visit go out first', () => {
  const { effects } = play(start(2, null, [content(1), content(2)]), { kind: 'retry' });
  assert.deepEqual(sent(effects), { kind: 'send', base: 2, content: content(1) });
});

test('content is compared whatever the order of its keys', () => {
  assert.ok(sameContent({ a: 1, b: { c: 2, d: [1, 2] } }, { b: { d: [1, 2], c: 2 }, a: 1 }));
  assert.ok(!sameContent({ a: [1, 2] }, { a: [2, 1] }));
});

test('a server that takes nothing now: the reason is kept, nothing is lost, retries are slow', () => {
  const blocked: DraftEvent = { kind: 'blocked', sentence: 'The study is frozen.' };
  const { draft, effects } = play(start(3, null), { kind: 'changed', content: content(1) }, blocked);
  assert.equal(draft.state, 'blocked');
  assert.equal(draft.reason, 'The study is frozen.');
  assert.deepEqual(draft.queue, [content(1)]);
  assert.deepEqual(effects, [{ kind: 'retry', inMs: 60_000 }]);

  const changed = play(draft, { kind: 'changed', content: content(2) });
  assert.deepEqual(changed.draft.queue, [content(1), content(2)]);
  assert.deepEqual(sent(changed.effects), { kind: 'send', base: 3, content: content(1) });

  const typed = play(draft, { kind: 'changed', content: content(1, 'a'), typing: true });
  assert.deepEqual(typed.effects, [{ kind: 'remember' }]);
  assert.ok(sent(play(typed.draft, { kind: 'flush' }).effects));

  const again = play(draft, { kind: 'retry' });
  assert.deepEqual(sent(again.effects), { kind: 'send', base: 3, content: content(1) });
  const done = play(again.draft, ack(4));
  assert.equal(done.draft.state, 'clean');
  assert.equal(done.draft.reason, '');
});

test('a reading gone elsewhere keeps what is unsent and forgets nothing', () => {
  const events: readonly DraftEvent[] = [{ kind: 'changed', content: content(1) }, { kind: 'gone' }];
  const { draft, effects } = play(start(3, null), ...events);
  assert.equal(draft.state, 'gone');
  assert.deepEqual(draft.queue, [content(1)]);
  assert.deepEqual(effects, [{ kind: 'remember' }]);
  const later = play(draft, { kind: 'changed', content: content(2) });
  assert.deepEqual(later.draft.queue, [content(1), content(2)]);
  assert.deepEqual(later.effects, [{ kind: 'remember' }]);
  assert.deepEqual(play(draft, { kind: 'retry' }).effects, []);
});

test('after an acknowledged lock a late gone brings nothing back', () => {
  const { draft, effects } = play(start(3, null), { kind: 'locked' }, { kind: 'gone' });
  assert.equal(draft.state, 'locked');
  assert.deepEqual(effects, []);
});
