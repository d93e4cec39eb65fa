import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Choice, signOut } from '../src/signout.ts';
import { remember } from '../src/store.ts';
import { rows } from './stored.ts';

const sessionStorage = { clear() {} };
Object.assign(globalThis, { window: { setTimeout }, sessionStorage });

/** Sign anna out of a machine on which others left answers as well; what is left there, asked and sent. */
async function leaving(readings: readonly string[], choice: Choice) {
  rows.clear();
  for (const reading of readings) await remember('anna', reading, { base: 1, queue: [] });
  for (const other of ['anna2', 'ann', 'bert']) await remember(other, 'r1', { base: 1, queue: [] });
  const seen = { asked: [] as number[], sent: 0 };
  const form = { dataset: { signOut: 'anna' }, submit: () => (seen.sent += 1) };
  const ask = async (many: number) => {
    seen.asked.push(many);
    return choice;
  };
  const out = () => signOut(form as unknown as HTMLFormElement, ask);
  await Promise.all([out(), out()]);
  return { ...seen, out, own: [...rows.keys()].filter((key) => key.startsWith('anna|')), left: rows.size };
}

test('without unsent answers nothing is asked, and what others left stays', async () => {
  const { asked, sent, left } = await leaving([], 'stay');
  assert.deepEqual([asked, sent, left], [[], 1, 3]);
});

test('unsent answers are asked about once: kept, deleted, or the reader stays', async () => {
  const kept = await leaving(['r1', 'r2'], 'keep');
  assert.deepEqual([kept.asked, kept.sent, kept.own.length, kept.left], [[2], 1, 2, 5]);
  const deleted = await leaving(['r1', 'r2'], 'delete');
  assert.deepEqual([deleted.asked, deleted.sent, deleted.own.length, deleted.left], [[2], 1, 0, 3]);
  const stayed = await leaving(['r1'], 'stay');
  assert.deepEqual([stayed.asked, stayed.sent, stayed.left], [[1], 0, 4]);
});

test('a store that fails or never answers keeps nobody signed in', { timeout: 5000 }, async () => {
  const { indexedDB } = globalThis;
  for (const open of [() => ({}), () => assert.fail('no store')]) {
    Object.assign(globalThis, { indexedDB: { open } });
    let sent = 0;
    const form = { dataset: { signOut: 'anna' }, submit: () => (sent += 1) };
    await signOut(form as unknown as HTMLFormElement, async () => assert.fail('nothing to ask'));
    assert.equal(sent, 1);
  }
  Object.assign(globalThis, { indexedDB });
});
