import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Numbering } from '../src/numbering.ts';

const FIVE = ['S1', 'L5', 'L4', 'L3'];
const SIX = ['S1', 'L6', 'L5', 'L4'];
const names = (numbering: Numbering) => numbering.spots.map((spot) => spot.name);

test('labels follow one another from the bottom up, and one after the last is none', () => {
  const numbering = new Numbering(FIVE, []);
  assert.deepEqual(
    [1, 2, 3, 4, 5].map((row) => numbering.set(8, row, 0)),
    [...FIVE, null],
  );
  assert.equal(numbering.next, null);
});

test('a chosen label is set next, and moves when it is there already', () => {
  const numbering = new Numbering(FIVE, []);
  numbering.choose('L4');
  assert.equal(numbering.set(8, 10, 0), 'L4');
  assert.equal(numbering.next, 'L3');
  numbering.choose('L4');
  numbering.set(9, 11, 1);
  assert.deepEqual(numbering.spots, [{ name: 'L4', slice: 9, row: 11, column: 1 }]);
});

test('undo goes back step by step, a removal and a clearing too', () => {
  const numbering = new Numbering(FIVE, []);
  numbering.set(8, 1, 0);
  numbering.set(8, 2, 0);
  numbering.remove('S1');
  numbering.clear();
  assert.deepEqual(names(numbering), []);
  assert.ok(numbering.undo());
  assert.deepEqual(names(numbering), ['L5']);
  assert.ok(numbering.undo());
  assert.deepEqual(names(numbering), ['S1', 'L5']);
  assert.ok(numbering.undo() && numbering.undo());
  assert.equal(numbering.undo(), false);
});

test('another way of counting names the same vertebrae anew from the bottom', () => {
  const numbering = new Numbering(FIVE, []);
  for (const row of [40, 30, 20]) numbering.set(8, row, 0);
  numbering.renumber(SIX);
  assert.deepEqual(names(numbering), ['S1', 'L6', 'L5']);
  assert.deepEqual(
    numbering.spots.map((spot) => spot.row),
    [40, 30, 20],
  );
  assert.equal(numbering.next, 'L4');
});

test('vertebrae that begin higher up keep the name of the lowest', () => {
  const numbering = new Numbering(FIVE, []);
  numbering.choose('L4');
  numbering.set(8, 20, 0);
  numbering.renumber(SIX);
  assert.deepEqual(names(numbering), ['L4']);
});
