import assert from 'node:assert/strict';
import { test } from 'node:test';
import { planeOf } from '../src/geometry.ts';
import { cut, type Grid, gridOf, obstacle, reformatted, walkOf } from '../src/imaging/reformat.ts';
import { greyUnit } from '../src/measure.ts';
import type { DicomJson, Layout, Stack, Vec3 } from '../src/wire.ts';

const COLUMNS = 4;
const ROWS = 6;

/** Prone, head first, stored from the feet up: columns run to the right side, rows to the front. */
const PRONE = [-1, 0, 0, 0, -1, 0];
const SUPINE = [1, 0, 0, 0, 1, 0];

function slice(position: Vec3, orientation: readonly number[] = PRONE, spacing = [0.5, 0.5]): DicomJson {
  return {
    '00080018': { vr: 'UI', Value: ['1.2.3'] },
    '00080060': { vr: 'CS', Value: ['CT'] },
    '00200032': { vr: 'DS', Value: [...position] },
    '00200037': { vr: 'DS', Value: [...orientation] },
    '00200052': { vr: 'UI', Value: ['1.2'] },
    '00280010': { vr: 'US', Value: [ROWS] },
    '00280011': { vr: 'US', Value: [COLUMNS] },
    '00280030': { vr: 'DS', Value: spacing },
    '00281052': { vr: 'DS', Value: [-1024] },
    '00281053': { vr: 'DS', Value: [1] },
  };
}

function stack(at: readonly Vec3[], orientation: readonly number[] = PRONE): Stack {
  const frames = at.map((position, i) => ({
    image: `/f/${i}`,
    uid: `u${i}`,
    metadata: slice(position, orientation),
  }));
  return { id: 'k2', role: 'CT_POST', title: 'CT', frames };
}

const planesOf = (one: Stack) => one.frames.map((frame) => planeOf(frame.metadata));
const STEPS: readonly Vec3[] = [0, 1, 2, 3, 4].map((i) => [30, 20, 100 + 1.5 * i]);
const grid = (at: readonly Vec3[], orientation: readonly number[] = PRONE) =>
  gridOf(planesOf(stack(at, orientation)));

test('a computed sagittal slice stands upright with the front at the left, whatever side was up', () => {
  const thin = stack(STEPS);
  const made = reformatted(thin, planesOf(thin), 'sagittal');
  assert.ok(typeof made !== 'string');
  // Columns run towards the right side, 0.5 mm each: from the patient's right, every second one, a slice a millimetre.
  assert.deepEqual([...made.walk.places], [2, 0]);
  const plane = planeOf(made.frames[0]?.metadata as DicomJson);
  assert.deepEqual(plane?.origin, [29, 17.5, 106]);
  assert.deepEqual(
    plane?.row.map((x) => x + 0),
    [0, 1, 0],
  );
  assert.deepEqual(
    plane?.column.map((x) => x + 0),
    [0, 0, -1],
  );
  assert.deepEqual([plane?.rowSpacing, plane?.columnSpacing], [1.5, 0.5]);
  assert.deepEqual([plane?.rows, plane?.columns], [5, ROWS]);
  // Nothing of it can be named as a stored image, and its values are final.
  assert.equal(made.frames[0]?.uid, '');
  assert.equal(made.frames[0]?.metadata['00080018'], undefined);
  assert.deepEqual(made.frames[0]?.metadata['00281052']?.Value, [0]);
});

test('a computed slice claims no Hounsfield units where the series tells no rescale', () => {
  const told = stack(STEPS);
  const frames = told.frames.map((frame) => {
    const { '00281052': _intercept, '00281053': _slope, ...metadata } = frame.metadata;
    return { ...frame, metadata };
  });
  const silent = { ...told, frames };
  const made = reformatted(silent, planesOf(silent), 'sagittal');
  assert.ok(typeof made !== 'string');
  assert.equal(greyUnit(made.frames[0]?.metadata ?? {}), null);
  const loud = reformatted(told, planesOf(told), 'sagittal');
  assert.ok(typeof loud !== 'string');
  assert.equal(greyUnit(loud.frames[0]?.metadata ?? {}), 'HU');
});

test('every value of a computed slice is the stored value at that place of the body', () => {
  for (const orientation of [PRONE, SUPINE]) {
    const thin = stack(STEPS, orientation);
    const planes = planesOf(thin);
    const stored = planes.map((_, s) => Int16Array.from({ length: ROWS * COLUMNS }, (_v, i) => s * 100 + i));
    for (const name of ['sagittal', 'coronal'] as const) {
      const made = reformatted(thin, planes, name);
      assert.ok(typeof made !== 'string');
      made.frames.forEach((frame, index) => {
        const plane = planeOf(frame.metadata);
        const values = cut(stored, made.grid, made.walk, made.walk.places[index] as number);
        assert.ok(plane);
        assert.equal(values.length, plane.rows * plane.columns);
        for (let row = 0; row < plane.rows; row += 1) {
          for (let column = 0; column < plane.columns; column += 1) {
            const point = [0, 1, 2].map(
              (axis) =>
                (plane.origin[axis] as number) +
                (plane.row[axis] as number) * column * plane.columnSpacing +
                (plane.column[axis] as number) * row * plane.rowSpacing,
            ) as unknown as Vec3;
            const s = Math.round((point[2] - 100) / 1.5);
            const across = Math.round(((point[0] - 30) * (orientation[0] as number)) / 0.5);
            const down = Math.round(((point[1] - 20) * (orientation[4] as number)) / 0.5);
            assert.equal(values[row * plane.columns + column], s * 100 + down * COLUMNS + across);
          }
        }
      });
    }
  }
});

test('the coronal walk begins in front, the axial one at the head', () => {
  const made = grid(STEPS) as Grid;
  assert.equal(walkOf(made, 'coronal')?.places[0], 4);
  assert.deepEqual([...(walkOf(made, 'axial')?.places ?? [])], [4, 3, 2, 1, 0]);
});

test('what is not regular is not offered, and the reason is said', () => {
  const z = (...heights: number[]): Vec3[] => heights.map((height) => [30, 20, height]);
  assert.equal(grid(z(0, 1, 2, 4, 5)), 'A slice is missing, or the distance between slices differs.');
  assert.equal(grid(z(0, 1, 1, 2, 3, 4)), 'A slice is missing, or the distance between slices differs.');
  assert.equal(grid(z(0, 1, 2)), 'Only 3 slices: too few.');
  assert.equal(
    grid(STEPS.map(([x, y, h], i) => [x, y + 0.3 * i, h])),
    'The slices are tilted against the table.',
  );
  const turned = stack(STEPS);
  const other = slice(STEPS[4] as Vec3, [-1, 0, 0, 0, -Math.cos(0.02), Math.sin(0.02)]);
  const planes = [...planesOf(turned).slice(0, 4), planeOf(other)];
  assert.equal(gridOf(planes), 'Size, scale or direction of the slices differ.');
  assert.equal(gridOf([...planesOf(turned), null]), 'Position or scale is missing in the header.');
  // Rounded headers are no fault.
  assert.ok(
    typeof grid(STEPS.map(([x, y, h], i) => [x + (i % 2) * 0.01, y, h + (i % 2) * 0.02])) !== 'string',
  );
});

test('a layout waits for slices thin enough', () => {
  const view = { role: 'CT_POST', start: 'middle', preset: '2', reformat: 'sagittal' as const };
  const layout: Layout = { code: 'mpr', title: 'MPR', rows: 1, columns: 1, views: [view], max_slice_mm: 2 };
  const of = (one: Stack) => obstacle(layout, () => ({ stack: one, planes: planesOf(one) }));
  assert.equal(of(stack(STEPS)), '');
  const thick = STEPS.map(([x, y, h]): Vec3 => [x, y, 100 + (h - 100) * 2]);
  assert.equal(of(stack(thick)), 'Slices are 3.0 mm apart; at most 2.0 mm are needed.');
  assert.equal(
    obstacle(layout, () => null),
    'The series is missing.',
  );
  assert.equal(
    obstacle({ ...layout, views: [{ ...view, reformat: '' }] }, () => null),
    '',
  );
});
