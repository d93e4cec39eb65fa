import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Api, Outcome } from '../src/api.ts';
import { Saver } from '../src/saver.ts';
import { recall, remember, rememberTimes, unsentReadings } from '../src/store.ts';
import type { Content, Reading, Saved } from '../src/wire.ts';
import { rows, settle } from './stored.ts';

const window = { addEventListener() {}, removeEventListener() {}, setTimeout, clearTimeout };
Object.assign(globalThis, { window });

const reading = { id: 'r1', revision: 3, saved_at: null, save_url: '/save' } as unknown as Reading;
const content: Content = { answers: { 'disc.case': 4 }, evidence: {}, kept: [] };

function page(outcome: Outcome<Saved>, kept?: Awaited<ReturnType<typeof recall>>) {
  const calls: [number, Content][] = [];
  const save = async (_url: string, base: number, sent: Content) => {
    calls.push([base, sent]);
    return outcome;
  };
  const seen = { gone: 0 };
  const gone = () => {
    seen.gone += 1;
  };
  const events = { changed() {}, saved() {}, gone };
  const saver = new Saver({ save } as unknown as Api, 'anna', reading, kept, events);
  saver.begin();
  return { saver, calls, seen };
}

const ok: Outcome<Saved> = {
  kind: 'ok',
  body: { revision: 4, saved_at: '2026-11-22T14:02:11Z', remarks: [], measured: {}, kept: [] },
};

test('a 404 keeps the copy; handed out again, the kept answers go out and only then are forgotten', async () => {
  rows.clear();
  const first = page({ kind: 'gone' });
  first.saver.change(content);
  await settle();
  assert.equal(first.seen.gone, 1);
  assert.deepEqual(first.saver.draft.queue, [content]);
  first.saver.close();
  const kept = await recall('anna', 'r1');
  assert.deepEqual(kept, { base: 3, queue: [content] });

  const again = page(ok, kept);
  await settle();
  assert.deepEqual(again.calls, [[3, content]]);
  assert.equal(again.saver.draft.state, 'clean');
  assert.equal(rows.size, 0);
  again.saver.close();
});

test('kept answers on an old base end in the choice between two versions', async () => {
  const theirs = { revision: 9, answers: { 'disc.case': 1 }, evidence: {}, kept: [], saved_at: null };
  const { saver } = page({ kind: 'stale', body: theirs }, { base: 3, queue: [content] });
  await settle();
  assert.equal(saver.draft.state, 'stale');
  assert.deepEqual(saver.draft.queue, [content]);
  saver.close();
});

test('a server that takes nothing now is asked once, and the copy stays', async () => {
  rows.clear();
  const { saver, calls } = page({ kind: 'blocked', sentence: 'The study is frozen.' });
  saver.change(content);
  await settle();
  assert.equal(calls.length, 1);
  assert.equal(saver.draft.state, 'blocked');
  assert.deepEqual(await recall('anna', 'r1'), { base: 3, queue: [content] });
  saver.retryNow();
  await settle();
  assert.equal(calls.length, 2);
  saver.close();
});

test('whose answers are unsent is told by reading, for one user alone', async () => {
  rows.clear();
  await Promise.all(
    [
      ['anna', 'r1'],
      ['anna', 'r2'],
      ['ann', 'r3'],
      ['berta', 'r4'],
    ].map(([user, id]) => remember(user as string, id as string, { base: 0, queue: [content] })),
  );
  await rememberTimes('anna', { visit: 'v1', url: '/times', told: [] });
  assert.deepEqual(await unsentReadings('anna'), new Set(['r1', 'r2']));
});
