import assert from 'node:assert/strict';
import { beforeEach, test } from 'node:test';
import type { Api, Outcome } from '../src/api.ts';
import { TimeLog, type Visit } from '../src/timelog.ts';
import type { Reading, Times } from '../src/wire.ts';
import { rows, settle } from './stored.ts';

class Page extends EventTarget {
  hidden = false;
  defaultView = {};
}
const page = new Page();
let tick = () => {};
/** A test of its own has pages of its own: the logs of the last one hear nothing. */
class Window extends EventTarget {
  setInterval(act: () => void, ms: number): void {
    if (ms === 15_000) tick = act;
  }
}
Object.assign(globalThis, { document: page });

const ok: Outcome<unknown> = { kind: 'ok', body: {} };
const failed: Outcome<unknown> = { kind: 'failed', sentence: '' };

let calls: { times: Times; leaving: boolean; answer(outcome: Outcome<unknown>): void }[] = [];
const api = {
  times: (_url: string, times: Times, leaving: boolean) =>
    new Promise((answer) => calls.push({ times, leaving, answer })),
} as unknown as Api;
const kinds = (times: Times | undefined) => times?.moments.map(({ kind }) => kind);
const kept = () => [...rows.values()] as Visit[];

beforeEach(() => {
  rows.clear();
  calls = [];
  Object.assign(globalThis, { window: new Window() });
});

async function opened(): Promise<TimeLog> {
  const log = new TimeLog(api, 'anna');
  await settle();
  log.open({ times_url: '/times' } as Reading);
  return log;
}

test('the last moments leave though a send is under way, and are kept until they have arrived', async () => {
  const log = await opened();
  tick();
  log.answered('a');
  log.close('submit');
  await settle();
  assert.deepEqual(kinds(calls[1]?.times), ['opened', 'answer', 'submit']);
  assert.ok(calls[1]?.leaving, 'the request outlives the page');
  assert.equal(kept()[0]?.told.length, 3);
  // What the earlier send hears takes nothing from what is kept.
  calls[0]?.answer(ok);
  await settle();
  assert.equal(kept()[0]?.told.length, 3);
  calls[1]?.answer(failed);
  await settle();
  assert.equal(kept()[0]?.told.at(-1)?.kind, 'submit');
  await opened();
  calls[2]?.answer(ok);
  await settle();
  assert.equal(rows.size, 0, 'the next page sends it');
});

test('more moments than the server takes at once go in parts, and none is lost between them', async () => {
  const log = await opened();
  for (let count = 0; count < 700; count += 1) log.answered('a');
  log.close('submit');
  await settle();
  assert.equal(kept()[0]?.told.length, 702);
  calls[0]?.answer(ok);
  await settle();
  assert.deepEqual([calls[0]?.times.moments.length, calls[1]?.times.moments.length], [500, 202]);
  calls[1]?.answer(failed);
  await settle();
  assert.equal(kept()[0]?.told.length, 202);
});

test('a visit that could not be sent goes when the network is back, once', async () => {
  const log = await opened();
  log.answered('a');
  log.close('submit');
  await settle();
  calls[0]?.answer(failed);
  await settle();
  log.open({ times_url: '/next' } as Reading);
  tick();
  calls[1]?.answer(failed);
  await settle();
  assert.equal(calls.length, 3, 'the closed visit is tried again with the open one');
  calls[2]?.answer(failed);
  await settle();
  assert.equal(kept().length, 2);

  window.dispatchEvent(new Event('online'));
  window.dispatchEvent(new Event('online'));
  await settle();
  const again = calls.slice(3).map(({ times }) => times);
  assert.deepEqual(again.map(kinds), [['opened'], ['opened', 'answer', 'submit']]);
  assert.equal(again[1]?.visit, calls[0]?.times.visit);
  for (const { answer } of calls.slice(3)) answer(ok);
  await settle();
  assert.equal(rows.size, 0);
  tick();
  await settle();
  assert.equal(calls.length, 5, 'nothing is owed any more');
});

test('a visit that another window still tells keeps what has not arrived', async () => {
  const told = [1, 2].map((number) => ({ number, kind: 'answer', at: Date.now() }));
  rows.set('~anna|b', { visit: 'b', url: '/times', told: told.slice(0, 1) });
  await opened();
  rows.set('~anna|b', { visit: 'b', url: '/times', told });
  calls[0]?.answer(ok);
  await settle();
  const left = kept()
    .find(({ visit }) => visit === 'b')
    ?.told.map(({ number }) => number);
  assert.deepEqual(left, [2]);
});

test('a machine that slept was not at work', async (t) => {
  const log = await opened();
  t.mock.timers.enable({ apis: ['Date'], now: Date.now() });
  t.mock.timers.tick(3_600_000);
  page.dispatchEvent(new Event('keydown'));
  t.mock.timers.reset();
  log.close();
  assert.deepEqual(kinds(calls[0]?.times)?.slice(0, 3), ['opened', 'idle', 'back']);
});
