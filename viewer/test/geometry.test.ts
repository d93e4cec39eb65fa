import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as geo from '../src/geometry.ts';
import type { DicomJson, Vec3 } from '../src/wire.ts';

const near = (a: number, b: number, tolerance = 1e-9) =>
  assert.ok(Math.abs(a - b) <= tolerance, `${a} is not ${b}`);

function json(
  position: Vec3,
  orientation: readonly number[],
  spacing = [0.6, 0.5],
  frame = '1.2',
): DicomJson {
  return {
    '00200032': { vr: 'DS', Value: [...position] },
    '00200037': { vr: 'DS', Value: [...orientation] },
    '00200052': { vr: 'UI', Value: [frame] },
    '00280010': { vr: 'US', Value: [200] },
    '00280011': { vr: 'US', Value: [100] },
    '00280030': { vr: 'DS', Value: spacing },
  };
}

const SAGITTAL = [0, 1, 0, 0, 0, -1];
const AXIAL = [1, 0, 0, 0, 1, 0];
const plane = (...args: Parameters<typeof json>) => geo.planeOf(json(...args)) as geo.Plane;
/** A sagittal slice turned about the long axis of the body. */
const tilted = (degrees: number) => {
  const turn = (degrees * Math.PI) / 180;
  return [Math.sin(turn), Math.cos(turn), 0, 0, 0, -1];
};

test('rows and columns keep their own spacing', () => {
  const p = plane([10, -20, 30], SAGITTAL);
  assert.deepEqual(geo.pixelToPatient(p, 10, 0), [10, -15, 30]);
  assert.deepEqual(geo.pixelToPatient(p, 0, 10), [10, -20, 24]);
});

test('no plane without position, orientation, spacing, or with a degenerate one', () => {
  for (const tag of ['00200032', '00200037', '00280030', '00280010']) {
    const whole = json([0, 0, 0], SAGITTAL);
    assert.equal(geo.planeOf(Object.fromEntries(Object.entries(whole).filter(([key]) => key !== tag))), null);
  }
  assert.equal(geo.planeOf(json([0, 0, 0], [1, 0, 0, 1, 0, 0])), null);
  assert.equal(geo.planeOf(json([0, 0, 0], SAGITTAL, [0, 0.5])), null);
  assert.equal(geo.planeOf(json([0, 0, Number.NaN], SAGITTAL)), null);
});

test('planes are named by their normal', () => {
  assert.equal(geo.planeName(plane([0, 0, 0], SAGITTAL)), 'sagittal');
  assert.equal(geo.planeName(plane([0, 0, 0], AXIAL)), 'axial');
  assert.equal(geo.planeName(plane([0, 0, 0], [1, 0, 0, 0, 0, -1])), 'coronal');
});

test('the slip is the foot along the endplate, forwards positive', () => {
  const p: Vec3 = [0, 0, 0];
  const a: Vec3 = [0, -34, 0];
  const forwards = geo.slip(p, a, [0, -8.2, 5]) as geo.Slip;
  near(forwards.value, 8.2);
  near(forwards.endplate, 34);
  assert.deepEqual(
    forwards.foot.map((v) => v + 0),
    [0, -8.2, 0],
  );
  near((geo.slip(p, a, [0, 3, 5]) as geo.Slip).value, -3);
  assert.equal(geo.slip(p, p, [1, 1, 1]), null);
});

test('the slip does not change when the patient is turned', () => {
  const turn = ([x, y, z]: Vec3): Vec3 => [x * 0.8 - y * 0.6, x * 0.6 + y * 0.8, z];
  const points: readonly [Vec3, Vec3, Vec3] = [
    [1, 2, 3],
    [2, -30, 9],
    [1.5, -7, 11],
  ];
  const straight = geo.slip(...points) as geo.Slip;
  const turned = geo.slip(turn(points[0]), turn(points[1]), turn(points[2])) as geo.Slip;
  near(turned.value, straight.value, 1e-9);
});

test('linked slices are matched by position in the patient, not by number', () => {
  const coarse = [-12, -8, -4, 0, 4, 8, 12].map((x) => plane([x, 0, 0], SAGITTAL));
  const fine = Array.from({ length: 25 }, (_, i) => plane([i - 12, 0, 0], SAGITTAL, [0.4, 0.4]));
  const shown = coarse[5] as geo.Plane;
  assert.equal(geo.linkedIndex(shown, fine), 20);
  assert.equal(geo.linkedIndex(shown, [...fine].reverse()), 4);
  assert.equal(geo.linkedIndex(shown, fine, 3), 17);
});

test('no link beyond 15 degrees, in another frame of reference, or without geometry', () => {
  const source = plane([0, 0, 0], SAGITTAL);
  assert.equal(geo.linkedIndex(source, [plane([0, 0, 0], tilted(14))]), 0);
  assert.equal(geo.linkedIndex(source, [plane([0, 0, 0], tilted(16))]), null);
  assert.equal(geo.linkedIndex(source, [plane([0, 0, 0], AXIAL)]), null);
  assert.equal(geo.linkedIndex(source, [plane([0, 0, 0], SAGITTAL, [1, 1], '9.9')]), null);
  assert.equal(geo.linkedIndex(source, [null]), null);
});

test('locating takes the finite slice, so a steep block elsewhere does not win', () => {
  const here = plane([-25, -60, 0], AXIAL, [0.6, 0.5]);
  const t = (30 * Math.PI) / 180;
  const steep = plane([-25, 60, -70], [1, 0, 0, 0, Math.cos(t), Math.sin(t)], [0.6, 0.5]);
  const point: Vec3 = [0, 0, 1];
  assert.equal(geo.nearestSlice([steep, here], point, here), 1);
});

test('a sagittal slice crosses an axial one as a line from front to back', () => {
  const sagittal = plane([7, -50, 60], SAGITTAL, [0.6, 1]);
  const axial = plane([-50, -60, 0], AXIAL, [1, 1]);
  const line = geo.cutLine(sagittal, axial);
  assert.ok(line);
  for (const point of line) {
    near(point[0], 7);
    near(point[2], 0);
  }
  assert.deepEqual(
    line.map((p) => p[1]).sort((a, b) => a - b),
    [-50.5, 49.5],
  );
  assert.equal(geo.cutLine(axial, axial), null);
});

test('side letters follow the header, also for a prone patient', () => {
  assert.equal(geo.letters([1, 0, 0]), 'L');
  assert.equal(geo.letters([-1, 0, 0]), 'R');
  assert.equal(geo.letters([0, -1, 0]), 'A');
  assert.equal(geo.letters([0, 0, -1]), 'F');
  assert.equal(geo.letters([0, -0.8, 0.6]), 'AH');
  assert.equal(geo.letters([0, -0.97, 0.24]), 'A');
});

test('scale bar: the longest round length that fits', () => {
  assert.deepEqual(geo.scaleBar(0.5, 120), { mm: 50, px: 100 });
  assert.deepEqual(geo.scaleBar(1, 45), { mm: 20, px: 20 });
  assert.equal(geo.scaleBar(Number.NaN, 100), null);
});

test('loading goes from the start slice outwards', () => {
  assert.deepEqual(geo.outwards(5, 2), [2, 1, 3, 0, 4]);
});

test('the position is told with its side', () => {
  assert.equal(geo.positionText(plane([-4.24, 0, 0], SAGITTAL)), 'R 4.2 mm');
  assert.equal(geo.positionText(plane([0, 0, 12], AXIAL)), 'H 12.0 mm');
});

const labelled = (...points: readonly Vec3[]) => points.map((point_lps_mm) => ({ point_lps_mm }));

test('a vertebra is named before its front wall, in the slice, on sagittal slices near it', () => {
  const slice = plane([4, -60, 80], SAGITTAL);
  const places = geo.labelPlaces(slice, labelled([0, 10, 20], [14, 10, 55], [14.1, 10, 90]));
  assert.deepEqual(
    places.map(({ at }) => at),
    [
      [4, 10 - geo.LABEL_BEFORE_MM, 20],
      [4, 10 - geo.LABEL_BEFORE_MM, 55],
    ],
  );
  assert.deepEqual(geo.labelPlaces(plane([0, 0, 0], AXIAL), labelled([0, 0, 0])), []);
  assert.deepEqual(
    geo.labelPlaces(slice, labelled([4, 0, 0])).map(({ at }) => at),
    [[4, -geo.LABEL_BEFORE_MM, 0]],
  );
});

test('names follow the curve: before a vertebra that leans is down and forward', () => {
  const slice = plane([0, 0, 0], SAGITTAL);
  const [low] = geo.labelPlaces(slice, labelled([0, 30, -30], [0, 0, 0]));
  const step = geo.LABEL_BEFORE_MM / Math.SQRT2;
  for (const [axis, wanted] of [0, 30 - step, -30 - step].entries())
    near((low as { at: Vec3 }).at[axis] as number, wanted);
});

test('on a turned slice the name stays in the slice, at the same distance', () => {
  const slice = plane([0, 0, 0], tilted(20));
  const [only] = geo.labelPlaces(slice, labelled([2, 5, 10]));
  const place = (only as { at: Vec3 }).at;
  near(geo.depth(slice, place), 0);
  const foot = geo.subtract([2, 5, 10], geo.scale(slice.normal, geo.depth(slice, [2, 5, 10])));
  near(geo.length(geo.subtract(place, foot)), geo.LABEL_BEFORE_MM);
});
