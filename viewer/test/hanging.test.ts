import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startIndex } from '../src/imaging/hanging.ts';
import type { Frame } from '../src/wire.ts';

const stack = (count: number, index_slice?: number | null) => ({
  frames: Array.from({ length: count }, () => ({}) as Frame),
  ...(index_slice === undefined ? {} : { index_slice }),
});

test('a view at the index disc opens where the server says, else in the middle', () => {
  assert.equal(startIndex('index_disc', stack(12, 10)), 10);
  assert.equal(startIndex('index_disc', stack(12, 99)), 11);
  assert.equal(startIndex('index_disc', stack(12, null)), 6);
  assert.equal(startIndex('index_disc', stack(12)), 6);
});

test('only such a view does', () => {
  assert.equal(startIndex('middle', stack(12, 10)), 6);
  assert.equal(startIndex('first', stack(12, 10)), 0);
  assert.equal(startIndex('last', stack(12, 10)), 11);
});
