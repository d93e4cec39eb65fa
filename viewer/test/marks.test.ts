import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Marks } from '../src/imaging/marks/marks.ts';
import { ThreePoints } from '../src/imaging/points.ts';
import type { View } from '../src/imaging/view.ts';
import type { Evidence, ImageMark, MarkKind, Points, Vec3 } from '../src/wire.ts';

const plane = {
  origin: [0, 0, 0],
  row: [1, 0, 0],
  column: [0, 1, 0],
  normal: [0, 0, 1],
  rowSpacing: 1,
  columnSpacing: 1,
  rows: 100,
  columns: 100,
};

/** A view of two slices on which the screen is the patient, in mm. */
function viewOf(shown = 0) {
  const overlay = { prompt() {} };
  const stack = { frames: [{ uid: '1.1' }, { uid: '1.2' }] };
  const toPatient = ([x, y]: readonly [number, number]): Vec3 => [x, y, 0];
  const element = { clientWidth: 100, clientHeight: 100 };
  const view = { stack, shown, honest: true, plane, toPatient, overlay, element, refresh() {} };
  return view as typeof view & View;
}

function marksOn(mark: ImageMark) {
  const heard: (readonly ImageMark[])[] = [];
  const views: View[] = [];
  const marks = new Marks(() => views, { changed: (all) => heard.push(all), done() {} });
  marks.belong([mark]);
  return { marks, heard, views };
}

const LINE: ImageMark = {
  kind: 'length',
  uid: '1.1',
  points_lps_mm: [
    [10, 10, 0],
    [30, 10, 0],
  ],
};
const ends = (all: readonly ImageMark[] | undefined) => all?.[0]?.points_lps_mm;

test('a handle follows the mouse on its own slice only; elsewhere the mark is as it was', () => {
  const { marks, heard } = marksOn(LINE);
  const view = viewOf();
  const at = { mark: 0, point: 1 };
  marks.drag(view, at, [30, 10], false);
  marks.drag(view, at, [40, 10], false);
  Object.assign(view, { shown: 1 });
  marks.drag(view, at, [60, 50], false);
  marks.drag(view, at, [60, 50], true);
  assert.equal(heard.length, 0);
  // Taken again on its own slice, it begins where it was before.
  Object.assign(view, { shown: 0 });
  marks.drag(view, at, [30, 10], false);
  marks.drag(view, at, [35, 12], true);
  assert.deepEqual(ends(heard[0]), [
    [10, 10, 0],
    [35, 12, 0],
  ]);
});

test('a mark in the hand moves no other that took its place in the list; let go, it can be taken', () => {
  const { marks, heard } = marksOn(LINE);
  const view = viewOf();
  const at = { mark: 0, point: 1 };
  marks.drag(view, at, [30, 10], false);
  const other: ImageMark = { ...LINE, points_lps_mm: [[50, 50, 0], [70, 50, 0]] }; // biome-ignore format: a row
  marks.belong([other]);
  marks.drag(view, at, [40, 10], false);
  marks.drag(view, at, [45, 10], true);
  assert.equal(heard.length, 0);
  marks.drag(view, at, [70, 50], false);
  marks.belong([]);
  marks.drag(view, at, [75, 50], true);
  marks.belong([other]);
  marks.drag(view, at, [70, 50], false);
  marks.drag(view, at, [80, 50], true);
  assert.deepEqual(ends(heard[0])?.[1], [80, 50, 0]);
});

test('a slice that comes back under a held handle does not take it up again', () => {
  const { marks, heard } = marksOn(LINE);
  const view = viewOf();
  const at = { mark: 0, point: 1 };
  marks.drag(view, at, [30, 10], false);
  Object.assign(view, { shown: 1 });
  marks.drag(view, at, [60, 50], false);
  Object.assign(view, { shown: 0 });
  marks.drag(view, at, [70, 50], false);
  marks.drag(view, at, [80, 50], true);
  assert.equal(heard.length, 0);
});

test('let go while the slice is not shown yet, a mark is as it was', () => {
  const { marks, heard } = marksOn(LINE);
  const view = viewOf();
  const at = { mark: 0, point: 1 };
  marks.drag(view, at, [30, 10], false);
  marks.drag(view, at, [40, 10], false);
  Object.assign(view, { honest: false });
  marks.drag(view, at, [50, 10], true);
  Object.assign(view, { honest: true });
  marks.drag(view, at, [31, 10], false);
  marks.drag(view, at, [31, 11], true);
  assert.deepEqual(ends(heard[0]), [
    [10, 10, 0],
    [30, 11, 0],
  ]);
});

test('no two neighbouring points of a mark come to lie on one another', () => {
  const corners: Record<Exclude<MarkKind, 'point' | 'ellipse'>, readonly Vec3[]> = {
    length: LINE.points_lps_mm,
    arrow: LINE.points_lps_mm,
    angle: [...LINE.points_lps_mm, [30, 40, 0]],
  };
  for (const [kind, points] of Object.entries(corners)) {
    const { marks, heard } = marksOn({ ...LINE, kind: kind as MarkKind, points_lps_mm: points });
    marks.drag(viewOf(), { mark: 0, point: 0 }, [10, 10], false);
    marks.drag(viewOf(), { mark: 0, point: 0 }, [30, 10], true);
    assert.deepEqual(ends(heard[0]), points, kind);
  }
});

test('the key that removes goes to a mark that can be seen', () => {
  const { marks, views } = marksOn(LINE);
  const view = viewOf();
  marks.drag(view, { mark: 0, point: 1 }, [30, 10], false);
  assert.equal(marks.selected, false, 'no view shows it');
  marks.draw = () => {};
  views.push(view);
  assert.equal(marks.selected, true);
  Object.assign(view, { shown: 1 });
  assert.equal(marks.selected, false, 'its slice went away');
});

test('a slip point is moved on its own slice only', () => {
  const heard: Points[] = [];
  const view = viewOf();
  const points = new ThreePoints(() => [view], { set: (_cell, set) => heard.push(set), done() {} });
  const set: Points = {
    uid: '1.1',
    points_lps_mm: [
      [10, 10, 0],
      [30, 10, 0],
      [20, 5, 0],
    ],
  };
  const evidence: Evidence = { 'slip.case': set };
  points.belong('slip.case', evidence);
  const at = { cell: 'slip.case', point: 2 };
  points.drag(view, at, [22, 5], false);
  Object.assign(view, { shown: 1 });
  points.drag(view, at, [40, 40], false);
  points.drag(view, at, [40, 40], true);
  assert.equal(heard.length, 0);
  Object.assign(view, { shown: 0 });
  assert.deepEqual(view.marks[0]?.points, set, 'as it was');
  points.drag(view, at, [23, 5], false);
  Object.assign(view, { honest: false });
  points.drag(view, at, [24, 5], true);
  assert.equal(heard.length, 0);
  assert.deepEqual(view.marks[0]?.points, set);
  Object.assign(view, { honest: true });
  points.drag(view, at, [25, 5], true);
  assert.deepEqual(heard[0]?.points_lps_mm[2], [25, 5, 0]);
});
