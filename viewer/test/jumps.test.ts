import assert from 'node:assert/strict';
import { test } from 'node:test';
import { planeOf } from '../src/geometry.ts';
import { blockAt, blocksOf, discsOf, middleOf } from '../src/imaging/blocks.ts';
import { goalOf, type Landmarks } from '../src/imaging/jumps.ts';
import type { Jump, Label, Stack, Vec3 } from '../src/wire.ts';

function plane(origin: Vec3, row: Vec3, column: Vec3) {
  return planeOf({
    '00200032': { vr: 'DS', Value: [...origin] },
    '00200037': { vr: 'DS', Value: [...row, ...column] },
    '00200052': { vr: 'UI', Value: ['1.2'] },
    '00280010': { vr: 'US', Value: [101] },
    '00280011': { vr: 'US', Value: [101] },
    '00280030': { vr: 'DS', Value: [1, 1] },
  });
}

/** Three slices 4 mm apart about a height, leaning by some degrees. */
function disc(height: number, degrees: number) {
  const turn = (degrees * Math.PI) / 180;
  const column: Vec3 = [0, Math.cos(turn), -Math.sin(turn)];
  return [4, 0, -4].map((up) =>
    plane([-50, -50 * (column[1] as number), height + up - 50 * (column[2] as number)], [1, 0, 0], column),
  );
}

const LABELS: readonly Label[] = [
  { text: 'S1', point_lps_mm: [3, 0, -60] },
  { text: 'L3', point_lps_mm: [0, 0, 45] },
  { text: 'L4', point_lps_mm: [1, 0, 10] },
  { text: 'L5', point_lps_mm: [2, 0, -25] },
];
const AXIAL = [...disc(27.5, 0), ...disc(-7.5, 10), ...disc(-42.5, 25)];
const SAGITTAL = [-20, -10, 0, 10, 20, 30].map((x) => plane([x, -50, 50], [0, 1, 0], [0, 0, -1]));
const stack = (index_slice: number | null = null): Stack => ({
  id: 'k1',
  role: 'X',
  title: 'X',
  frames: [],
  index_slice,
});
const known = (labels: readonly Label[], index: string): Landmarks => ({
  bodies: labels.map((label) => label.point_lps_mm),
  discs: discsOf(labels),
  index,
});
const jump = (kind: Jump['kind'], left_mm = 0): Jump => ({ code: 'x', title: 'There', kind, left_mm });

test('discs are named between neighbours only', () => {
  assert.deepEqual(
    discsOf(LABELS).map((one) => one.name),
    ['L3/4', 'L4/5', 'L5/S1'],
  );
  assert.deepEqual(
    discsOf(LABELS.filter((label) => label.text !== 'L4')).map((one) => one.name),
    ['L5/S1'],
  );
  const six: Label[] = [
    LABELS[3] as Label,
    { text: 'L6', point_lps_mm: [0, 0, -50] },
    { text: 'S1', point_lps_mm: [0, 0, -80] },
  ];
  assert.deepEqual(
    discsOf(six).map((one) => one.name),
    ['L5/6', 'L6/S1'],
  );
});

test('blocks end where slices turn or leave a gap, and carry the disc they lie on', () => {
  const found = blocksOf(AXIAL, discsOf(LABELS));
  assert.deepEqual(
    found.map((block) => [block.first, block.last, block.disc]),
    [
      [0, 2, 'L3/4'],
      [3, 5, 'L4/5'],
      [6, 8, 'L5/S1'],
    ],
  );
  assert.equal(blockAt(found, 5), 1);
  assert.equal(middleOf(found[2] as (typeof found)[0]), 7);
  const parallel = [...disc(30, 0), ...disc(0, 0)];
  assert.deepEqual(
    blocksOf(parallel, []).map((block) => [block.first, block.last, block.disc]),
    [
      [0, 2, ''],
      [3, 5, ''],
    ],
  );
  // Slices in one run are no blocks; a disc outside all of them names none.
  assert.deepEqual(blocksOf(disc(0, 0), []), []);
  const far = discsOf(LABELS).slice(2);
  assert.deepEqual(
    blocksOf(parallel, far).map((block) => block.disc),
    ['', ''],
  );
});

test('sideways jumps are counted from the labelled vertebrae, to the patient’s own side', () => {
  const all = known(LABELS, '');
  assert.equal(goalOf(jump('lateral'), stack(), SAGITTAL, all).index, 2);
  assert.equal(goalOf(jump('lateral', 20), stack(), SAGITTAL, all).index, 4);
  assert.equal(goalOf(jump('lateral', -20), stack(), SAGITTAL, all).index, 0);
  // The same stack stored from the left: the sides stay the patient's.
  assert.equal(goalOf(jump('lateral', 20), stack(), [...SAGITTAL].reverse(), all).index, 1);
  const bent = known(
    LABELS.map((l) =>
      l.text === 'L5' || l.text === 'S1' ? { ...l, point_lps_mm: [12, 0, l.point_lps_mm[2]] } : l,
    ),
    'L5/S1',
  );
  assert.equal(goalOf(jump('lateral'), stack(), SAGITTAL, bent).index, 3);
});

test('without labels the middle of the series stands in and says so; outside the series nothing moves', () => {
  const found = goalOf(jump('lateral', 20), stack(), SAGITTAL, known([], ''));
  assert.equal(found.index, 4);
  assert.match(found.note, /middle of the series/);
  const out = goalOf(jump('lateral', 60), stack(), SAGITTAL, known(LABELS, ''));
  assert.deepEqual(out, { index: null, note: 'There: outside this series' });
});

test('the index disc comes from labels, then from the server, else it is said to be unknown', () => {
  assert.equal(goalOf(jump('index_disc'), stack(1), AXIAL, known(LABELS, 'L5/S1')).index, 7);
  assert.equal(goalOf(jump('index_disc'), stack(1), AXIAL, known([], 'L5/S1')).index, 1);
  assert.match(goalOf(jump('index_disc'), stack(), AXIAL, known([], 'L5/S1')).note, /no vertebra/);
  assert.match(goalOf(jump('index_disc'), stack(), AXIAL, known(LABELS, '')).note, /does not tell/);
});

test('a jump moves only slices it has a meaning for', () => {
  assert.deepEqual(goalOf(jump('lateral'), stack(), AXIAL, known(LABELS, 'L5/S1')), {
    index: null,
    note: '',
  });
  assert.deepEqual(goalOf(jump('index_disc'), stack(), SAGITTAL, known(LABELS, 'L5/S1')), {
    index: null,
    note: '',
  });
});
