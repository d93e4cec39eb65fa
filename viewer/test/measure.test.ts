import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as evidence from '../src/evidence.ts';
import { add, length, type Plane, pixelToPatient, planeOf, scale } from '../src/geometry.ts';
import * as m from '../src/measure.ts';
import type { DicomJson, Evidence, ImageMark, Vec3 } from '../src/wire.ts';

const near = (a: number | null | undefined, b: number, tolerance = 1e-9) =>
  assert.ok(typeof a === 'number' && Math.abs(a - b) <= tolerance, `${a} is not ${b}`);

/** Rows 0.6 mm, columns 0.5 mm apart: 200 rows of 100 columns, tilted out of every axis. */
const TILT = [0.6, 0, -0.8, 0, 1, 0];
const CT: DicomJson = {
  '00080060': { vr: 'CS', Value: ['CT'] },
  '00200032': { vr: 'DS', Value: [10, -20, 30] },
  '00200037': { vr: 'DS', Value: TILT },
  '00280010': { vr: 'US', Value: [200] },
  '00280011': { vr: 'US', Value: [100] },
  '00280030': { vr: 'DS', Value: [0.6, 0.5] },
  '00281052': { vr: 'DS', Value: [-1024] },
  '00281053': { vr: 'DS', Value: [1] },
};
const MR: DicomJson = { ...CT, '00080060': { vr: 'CS', Value: ['MR'] } };
const plane = planeOf(CT) as Plane;
const at = (column: number, row: number): Vec3 => pixelToPatient(plane, column, row);

test('a patient point finds its own column and row although they differ in size', () => {
  const [column, row] = m.pixelOf(plane, at(12.25, 170.5));
  near(column, 12.25);
  near(row, 170.5);
});

test('a length counts rows and columns in their own millimetres', () => {
  near(m.distance(at(10, 10), at(20, 10)), 5);
  near(m.distance(at(10, 10), at(10, 20)), 6);
  near(m.distance(at(10, 10), at(50, 35)), Math.hypot(20, 15));
});

test('an angle is that of the body, not of the pixels', () => {
  near(m.angleAt(at(20, 10), at(10, 10), at(10, 30)), 90);
  // 12 columns and 10 rows are 6 mm each way: 45 degrees, where the pixels alone would say 39.8.
  near(m.angleAt(at(22, 10), at(10, 10), at(22, 20)), 45, 1e-6);
  near(m.angleAt(at(30, 10), at(10, 10), at(0, 10)), 180, 1e-5);
  assert.equal(m.angleAt(at(10, 10), at(10, 10), at(0, 10)), null);
});

test('an ellipse has its area in the body, and four corners', () => {
  const [a, b] = [at(10, 20), at(30, 70)];
  const ellipse = m.ellipseOf(plane, a, b);
  near(m.areaOf(ellipse), (Math.PI / 4) * 10 * 30);
  near(m.areaOf(m.ellipseOf(plane, b, a)), (Math.PI / 4) * 10 * 30);
  const [c, d] = m.otherCorners(plane, a, b);
  assert.deepEqual(
    [c, d].map((corner) => m.pixelOf(plane, corner).map((x) => Math.round(x * 1e6) / 1e6)),
    [
      [30, 20],
      [10, 70],
    ],
  );
  for (const point of m.outline(plane, ellipse)) assert.ok(m.within(plane, point));
});

test('mean and SD are those of the pixels whose centres lie inside', () => {
  const grey = (column: number, row: number) => 3 * column + 7 * row;
  const ellipse = m.ellipseOf(plane, at(10.3, 20.2), at(31.1, 70.9));
  const [x, y] = m.pixelOf(plane, ellipse.centre);
  const inside: number[] = [];
  for (let row = 0; row < 200; row += 1) {
    for (let column = 0; column < 100; column += 1) {
      const away = ((column - x) * 0.5) / ellipse.across;
      const below = ((row - y) * 0.6) / ellipse.down;
      if (away * away + below * below <= 1) inside.push(grey(column, row));
    }
  }
  const mean = inside.reduce((sum, value) => sum + value, 0) / inside.length;
  const variance = inside.reduce((sum, value) => sum + (value - mean) ** 2, 0) / inside.length;
  const spread = m.spreadIn(plane, ellipse, grey);
  assert.equal(spread?.pixels, inside.length);
  near(spread?.mean, mean, 1e-9);
  near(spread?.sd, Math.sqrt(variance), 1e-6);
  // Beyond the edge there is no pixel to count; between pixels there is none either.
  assert.equal(m.spreadIn(plane, m.ellipseOf(plane, at(-9, -9), at(-2, -2)), grey), null);
  assert.equal(m.spreadIn(plane, m.ellipseOf(plane, at(5.2, 5.2), at(5.7, 5.7)), grey), null);
});

test('within ends at the edge of the last pixel, and what is dragged out stays on the edge', () => {
  assert.ok(m.within(plane, at(-0.49, 199.49)));
  assert.ok(!m.within(plane, at(-0.51, 10)));
  assert.ok(!m.within(plane, at(10, 199.51)));
  const [column, row] = m.pixelOf(plane, m.clamped(plane, at(140, -30)));
  near(column, 99.5);
  near(row, -0.5);
  assert.equal(
    m.valueAt(plane, at(-0.4, 0.4), (c, r) => 10 * c + r),
    0,
  );
  assert.equal(
    m.valueAt(plane, at(-0.6, 0), () => 7),
    null,
  );
});

test('a point dragged far out comes back onto the edge, however roughly the header rounds its directions', () => {
  const turned = [0.642, 0.766, 0, 0.133, -0.111, -0.985];
  const rough = planeOf({ ...CT, '00200037': { vr: 'DS', Value: turned } }) as Plane;
  for (const direction of [rough.row, rough.column]) near(length(direction), 1);
  const far = m.clamped(rough, pixelToPatient(rough, 900, -700));
  const [column, row] = m.pixelOf(rough, far);
  near(column, rough.columns - 0.5);
  near(row, -0.5);
});

const mark = (kind: ImageMark['kind'], points: readonly Vec3[], label?: string): ImageMark => ({
  kind,
  uid: '1',
  points_lps_mm: points,
  ...(label ? { label } : {}),
});

test('a number comes with its unit, and without rescale CT gives none', () => {
  const grey = () => -117.4;
  const bare: DicomJson = { ...CT, '00281052': { vr: 'DS', Value: [] } };
  const point = mark('point', [at(5, 5)]);
  assert.deepEqual(m.linesOf(point, plane, CT, grey), ['-117 HU']);
  assert.deepEqual(m.linesOf(point, plane, MR, grey), ['signal -117']);
  assert.deepEqual(m.linesOf(point, plane, bare, grey), ['no HU: the image tells no rescale']);
  assert.equal(m.greyUnit({ ...CT, '00281054': { vr: 'LO', Value: ['US'] } }), null);
  const box = mark('ellipse', [at(10, 20), at(30, 70)]);
  assert.deepEqual(m.linesOf(box, plane, CT, grey), ['mean -117 HU · SD 0', '236 mm²']);
  assert.deepEqual(m.linesOf(box, plane, bare, grey), ['236 mm²', 'no HU: the image tells no rescale']);
  assert.deepEqual(m.linesOf(box, plane, CT, null), ['236 mm²'], 'while the slice is not here');
  assert.deepEqual(m.linesOf(mark('length', [at(10, 10), at(50, 35)]), plane, MR, grey), ['25.0 mm']);
  assert.deepEqual(m.linesOf(mark('angle', [at(20, 10), at(10, 10), at(10, 30)]), plane, MR, grey), [
    '90.0°',
  ]);
  assert.deepEqual(m.linesOf(mark('arrow', [at(1, 1), at(9, 9)], 'B'), plane, MR, grey), ['B']);
  assert.deepEqual(m.linesOf(mark('length', [at(1, 1)]), plane, MR, grey), [], 'half drawn');
});

test('the evidence document: cells, points and marks keep out of each other', () => {
  const seen = { uid: '1', window: { width: 400, level: 40 } };
  const points = { uid: '1', points_lps_mm: [at(1, 1), at(2, 2), at(3, 3)] };
  const marks = [mark('point', [at(5, 5)])];
  let document: Evidence = evidence.withMarks(evidence.withCell({}, 'slip.case', seen), marks);
  assert.equal(evidence.evidenceOf(document, 'marks'), undefined);
  assert.deepEqual(evidence.marksOf(document), marks);
  assert.deepEqual(evidence.measuredCells(document), []);
  document = evidence.withPoints(document, 'slip.case', points);
  assert.deepEqual(
    evidence.evidenceOf(document, 'slip.case'),
    { ...seen, ...points },
    'same slice: window kept',
  );
  assert.deepEqual(evidence.measuredCells(document), [{ cell: 'slip.case', points }]);
  const typed = evidence.withoutPoints(document, 'slip.case');
  assert.deepEqual(evidence.evidenceOf(typed, 'slip.case'), seen);
  const other = evidence.withPoints(document, 'slip.case', { ...points, uid: '2' });
  assert.deepEqual(
    evidence.evidenceOf(other, 'slip.case'),
    { ...points, uid: '2' },
    'another slice: own window gone',
  );
  assert.deepEqual(evidence.withMarks(evidence.withCell(document, 'slip.case', undefined), []), {});
  assert.equal(evidence.withoutPoints(typed, 'slip.case'), typed);
});

test('what names an image that is gone from the case is left out', () => {
  const stack = {
    id: 'k1',
    role: 'R',
    title: 'Sagittal T2',
    frames: [{ image: '', uid: '1', metadata: CT }],
  };
  const seen = { uid: '1', window: { width: 400, level: 40 } };
  const gone = { ...seen, uid: '2' };
  const marks = [mark('point', [at(5, 5)]), { ...mark('point', [at(6, 6)]), uid: '2' }];
  const document: Evidence = { 'a.case': seen, 'b.case': gone, marks };
  assert.deepEqual(evidence.onlyOf(document, [stack]), { 'a.case': seen, marks: marks.slice(0, 1) });
  assert.deepEqual(evidence.onlyOf(document, []), {});
  assert.equal(evidence.sliceName([stack], '1'), 'Sagittal T2 1/1');
  assert.equal(evidence.sliceName([stack], '2'), 'a slice that is gone');
});

test('arrows take the first free letter', () => {
  const arrows = ['A', 'B', 'D'].map((letter) =>
    mark('arrow', [at(1, 1), add(at(1, 1), scale([1, 0, 0], 9))], letter),
  );
  assert.equal(evidence.nextLetter([]), 'A');
  assert.equal(evidence.nextLetter(arrows), 'C');
});
