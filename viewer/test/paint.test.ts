import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Held } from '../src/imaging/held.ts';
import { formOf, modality } from '../src/imaging/modality.ts';
import { type Map2, paint, rangeOf, type Slice } from '../src/imaging/paint.ts';

const sliceOf = (columns: number, values: readonly number[], id = 'a'): Slice => ({
  id,
  columns,
  rows: values.length / columns,
  values: Float32Array.from(values),
  least: Math.min(...values),
  most: Math.max(...values),
});

const BRIGHT = { width: 256, level: 128 };

/** The greys of a canvas, after its pixels were found to be opaque and without colour. */
function drawn(width: number, height: number, slice: Slice, map: Map2, window = BRIGHT, inverted = false) {
  const pixels = new Uint32Array(width * height).fill(0x12345678);
  paint({ pixels, width, height }, slice, map, window, inverted);
  const bytes = new Uint8Array(pixels.buffer);
  return Array.from(pixels, (_, i) => {
    const [red, green, blue, alpha] = bytes.subarray(4 * i, 4 * i + 4);
    assert.deepEqual([green, blue, alpha], [red, red, 255]);
    return red as number;
  });
}

test('a pixel of the screen on the centre of a stored one has exactly its shade', () => {
  const slice = sliceOf(3, [0, 50, 100, 150, 200, 255]);
  const map = { x: 0.5, y: 0.5, column: 1, row: 1 };
  assert.deepEqual(drawn(3, 2, slice, map), [0, 50, 100, 150, 200, 255]);
  assert.deepEqual(drawn(3, 2, slice, map, BRIGHT, true), [255, 205, 155, 105, 55, 0]);
});

test('between four centres the value is theirs by distance, and it is windowed after that', () => {
  const random = ((seed: number) => () => {
    seed = (seed * 1103515245 + 12345) % 2147483648;
    return seed / 2147483648;
  })(7);
  const [columns, rows] = [7, 5];
  const slice = sliceOf(
    columns,
    Array.from({ length: columns * rows }, () => Math.round(random() * 2000 - 1000)),
  );
  const at = (c: number, r: number) => slice.values[r * columns + c] as number;
  for (const map of [
    { x: 2.3, y: -4.1, column: 5.7, row: 4.9 },
    { x: 8.25, y: 6.5, column: 0.6, row: 1.3 },
  ]) {
    const window = { width: 350, level: 40 };
    const [black, white] = rangeOf(window);
    const found = drawn(31, 23, slice, map, window);
    found.forEach((grey, i) => {
      const c = ((i % 31) + 0.5 - map.x) / map.column;
      const r = (Math.floor(i / 31) + 0.5 - map.y) / map.row;
      const outside = c < -0.5 || c >= columns - 0.5 || r < -0.5 || r >= rows - 0.5;
      const [u, v] = [Math.min(columns - 1, Math.max(0, c)), Math.min(rows - 1, Math.max(0, r))];
      const [c0, r0] = [Math.min(columns - 2, Math.floor(u)), Math.min(rows - 2, Math.floor(v))];
      const top = at(c0, r0) + (at(c0 + 1, r0) - at(c0, r0)) * (u - c0);
      const low = at(c0, r0 + 1) + (at(c0 + 1, r0 + 1) - at(c0, r0 + 1)) * (u - c0);
      const value = top + (low - top) * (v - r0);
      const shade = outside ? 0 : 255 * Math.min(1, Math.max(0, (value - black) / (white - black)));
      assert.ok(Math.abs(grey - shade) <= 0.51, `place ${i}: ${grey} is not ${shade}`);
    });
  }
});

test('a slice of one row or one column is drawn, and nothing beside it', () => {
  const map = { x: 1.5, y: 1.5, column: 1, row: 1 };
  assert.deepEqual(drawn(4, 3, sliceOf(2, [90, 91]), map), [0, 0, 0, 0, 0, 90, 91, 0, 0, 0, 0, 0]);
  assert.deepEqual(drawn(3, 4, sliceOf(1, [90, 91]), map), [0, 0, 0, 0, 90, 0, 0, 91, 0, 0, 0, 0]);
});

test('the ends of a window are those of the standard', () => {
  assert.deepEqual(rangeOf({ width: 400, level: 40 }), [-160, 239]);
});

const header = (signed: number, slope: number, intercept: number) =>
  formOf({
    '00280010': { vr: 'US', Value: [1] },
    '00280011': { vr: 'US', Value: [2] },
    '00280103': { vr: 'US', Value: [signed] },
    '00281052': { vr: 'DS', Value: [intercept] },
    '00281053': { vr: 'DS', Value: [slope] },
  });
const bytesOf = (values: Int16Array<ArrayBuffer> | Uint16Array<ArrayBuffer>) => new Uint8Array(values.buffer);

test('stored samples become modality values, whole ones in two bytes', () => {
  const signed = modality(bytesOf(Int16Array.of(-1000, 3000)), 16, header(1, 1, 0));
  assert.deepEqual(signed, { values: Int16Array.of(-1000, 3000), least: -1000, most: 3000 });
  const unsigned = modality(bytesOf(Uint16Array.of(0, 4095)), 16, header(0, 1, -1024));
  assert.deepEqual(unsigned, { values: Int16Array.of(-1024, 3071), least: -1024, most: 3071 });
  assert.deepEqual(
    modality(bytesOf(Uint16Array.of(0, 60000)), 16, header(0, 1, -1024)).values,
    Float32Array.of(-1024, 58976),
  );
  assert.deepEqual(
    modality(bytesOf(Uint16Array.of(1, 2)), 16, header(0, 0.5, 0)).values,
    Float32Array.of(0.5, 1),
  );
  assert.deepEqual(modality(Uint8Array.of(3, 250), 8, header(1, 1, 0)).values, Int8Array.of(3, -6));
});

test('a rescale that turns values round keeps least below most', () => {
  const { least, most } = modality(bytesOf(Uint16Array.of(10, 20)), 16, header(0, -2, 0));
  assert.deepEqual([least, most], [-40, -20]);
});

test('when memory is full the slice that was not looked at for the longest time goes', () => {
  const held = new Held(3 * 16);
  for (const id of ['a', 'b', 'c']) held.put(sliceOf(2, [1, 2, 3, 4], id));
  assert.equal(held.get('a')?.id, 'a');
  held.put(sliceOf(2, [1, 2, 3, 4], 'd'));
  assert.deepEqual(
    ['a', 'b', 'c', 'd'].map((id) => held.has(id)),
    [true, false, true, true],
  );
  held.put(sliceOf(2, [5, 6, 7, 8], 'd'));
  assert.equal(held.has('a'), true, 'the same slice again takes no more room');
  assert.equal(held.full, true);
  for (const id of ['a', 'c', 'd']) held.drop(id);
  assert.equal(held.full, false);
});
