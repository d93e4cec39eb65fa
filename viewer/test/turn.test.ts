import assert from 'node:assert/strict';
import { test } from 'node:test';
import { onOtherSide } from '../src/evidence.ts';
import { turnedValues } from '../src/imaging/turn.ts';
import type { Stack, Vec3 } from '../src/wire.ts';

const VALUES = Int16Array.of(1, 2, 3, 4, 5, 6);

test('stored values are turned in the order the server names: transposed, columns, rows', () => {
  const turn = (transpose: boolean, reverse_columns: boolean, reverse_rows: boolean) =>
    [...turnedValues(VALUES, 3, 2, { transpose, reverse_columns, reverse_rows })].join('');
  assert.equal(turn(false, false, false), '123456');
  assert.equal(turn(false, true, true), '654321', 'a prone slice');
  assert.equal(turn(false, true, false), '321654');
  assert.equal(turn(false, false, true), '456123');
  assert.equal(turn(true, false, false), '142536');
  assert.equal(turn(true, true, false), '415263');
  assert.equal(turn(true, false, true), '362514');
  assert.ok(
    turnedValues(VALUES, 3, 2, { transpose: true, reverse_columns: true, reverse_rows: true }) instanceof
      Int16Array,
  );
});

test('a sagittal slice far from the middle is evidence for its own side only', () => {
  const frame = (x: number, row: Vec3) => ({
    image: '',
    uid: String(x),
    metadata: {
      '00200032': { vr: 'DS', Value: [x, 0, 0] },
      '00200037': { vr: 'DS', Value: [...row, 0, 0, -1] },
      '00280010': { vr: 'US', Value: [2] },
      '00280011': { vr: 'US', Value: [2] },
      '00280030': { vr: 'DS', Value: [1, 1] },
    },
  });
  const stack = (row: Vec3, ...places: number[]): Stack => ({
    id: 'k1',
    role: 'SAG_T1',
    title: '',
    frames: places.map((x) => frame(x, row)),
  });
  const [SAGITTAL, ACROSS]: Vec3[] = [
    [0, 1, 0],
    [1, 0, 0],
  ];
  const axial = stack(ACROSS as Vec3, -0.5);
  const both = stack(SAGITTAL as Vec3, -30, -12, -4, 0, 4, 12, 30);
  const sagittal = [both, axial];
  assert.ok(onOtherSide(sagittal, '12', 'right'), 'x grows towards the left');
  assert.ok(!onOtherSide(sagittal, '12', 'left'));
  assert.ok(onOtherSide(sagittal, '-30', 'left'));
  assert.ok(!onOtherSide(sagittal, '4', 'right'), 'near the middle both sides may be seen');
  assert.ok(!onOtherSide(sagittal, '30', ''));
  assert.ok(!onOtherSide(sagittal, 'gone', 'right'));
  assert.ok(
    !onOtherSide([stack(ACROSS as Vec3, -4, 30), axial], '30', 'right'),
    'a coronal slice shows both sides',
  );
  const right = [stack(SAGITTAL as Vec3, -60, -40, -6), axial];
  assert.ok(!onOtherSide(right, '-6', 'right'), 'a series of one side has its middle on that side');
  assert.ok(onOtherSide(right, '-60', 'left'));
  assert.ok(!onOtherSide([both], '30', 'right'), 'nothing but the series itself tells of a middle');
});
