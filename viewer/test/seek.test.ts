import assert from 'node:assert/strict';
import { beforeEach, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import type { Slice } from '../src/imaging/paint.ts';
import { PATIENCE_MS, Seek } from '../src/imaging/seek.ts';

Object.assign(globalThis, { window: globalThis });

const memory = new Map<string, Slice>();
const asked = new Map<string, () => void>();
let heard: string[] = [];
let wanted = '';
let shown = '';

const seek = new Seek({
  wanted: () => wanted,
  there: () => shown === wanted,
  slice: (address) => memory.get(address) ?? null,
  load: (address) => new Promise<void>((done) => asked.set(address, done)),
  display: ({ id }) => {
    shown = id;
    heard.push(id);
  },
  fail: () => heard.push(`failed ${wanted}`),
  waiting: () => heard.push('waiting'),
});

const keep = (id: string) => memory.set(id, { id } as Slice);
const want = (id: string) => {
  wanted = id;
  seek.go();
};
async function arrive(id: string) {
  asked.get(id)?.();
  await pause(0);
}

beforeEach(() => {
  seek.stop();
  memory.clear();
  asked.clear();
  [heard, wanted, shown] = [[], '', ''];
});

test('what is in memory is shown at once, though a request hangs; that one brings nothing later', async () => {
  keep('b');
  want('a');
  want('b');
  assert.deepEqual(heard, ['b']);
  keep('a');
  await arrive('a');
  await pause(PATIENCE_MS + 50);
  assert.deepEqual(heard, ['b'], 'no word of waiting either');
});

test('a request that hangs holds up the next one only for a moment', async () => {
  want('a');
  want('c');
  assert.deepEqual([...asked.keys()], ['a'], 'many wishes become the last one');
  await pause(PATIENCE_MS + 50);
  assert.deepEqual([...asked.keys()], ['a', 'c']);
  keep('c');
  await arrive('c');
  assert.deepEqual(heard, ['waiting', 'c']);
  assert.equal(seek.running, false);
});

test('what does not come fails, and is asked for again when wanted again', async () => {
  want('a');
  await arrive('a');
  assert.deepEqual(heard, ['failed a']);
  asked.clear();
  want('a');
  keep('a');
  await arrive('a');
  assert.deepEqual(heard, ['failed a', 'a']);
});
