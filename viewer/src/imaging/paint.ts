/**
 * Pure: a slice as grey pixels of the screen. Values are interpolated between the centres of four stored pixels and
 * windowed after that, as a graphics card does it.
 */
import type { Pixels } from './reformat.ts';

/** One decoded slice in modality values (Hounsfield units where the series has them). */
export interface Slice {
  readonly id: string;
  readonly columns: number;
  readonly rows: number;
  readonly values: Pixels;
  readonly least: number;
  readonly most: number;
}

export interface Window {
  readonly width: number;
  readonly level: number;
}

/** Black and white ends of a window: the linear function of PS3.3 C.11.2.1.2.1. */
export function rangeOf({ width, level }: Window): readonly [black: number, white: number] {
  const half = (width - 1) / 2;
  return [level - 0.5 - half, level - 0.5 + half];
}

/** Where a slice lies on a canvas: the centre of its first pixel, and the step of a column and of a row. */
export interface Map2 {
  readonly x: number;
  readonly y: number;
  readonly column: number;
  readonly row: number;
}

export interface Canvas {
  /** One number a pixel, the bytes red, green, blue, alpha in memory. */
  readonly pixels: Uint32Array;
  readonly width: number;
  readonly height: number;
}

const BLACK = 0xff000000;
const LITTLE_ENDIAN = new Uint8Array(new Uint32Array([1]).buffer)[0] === 1;

const shades = (inverted: boolean): Uint32Array =>
  Uint32Array.from({ length: 256 }, (_, i) => {
    const grey = inverted ? 255 - i : i;
    const same = (grey << 16) | (grey << 8) | grey;
    return (LITTLE_ENDIAN ? same | BLACK : (same << 8) | 0xff) >>> 0;
  });
const SHADES = [shades(false), shades(true)] as const;
const OUTSIDE = (SHADES[0] as Uint32Array)[0] as number;

/** Along one axis: the first of two neighbours for each place, how much of the second, and which places lie inside. */
interface Axis {
  readonly first: Int32Array;
  readonly share: Float32Array;
  readonly from: number;
  readonly to: number;
}

function axis(length: number, start: number, step: number, count: number): Axis {
  const first = new Int32Array(length);
  const share = new Float32Array(length);
  let [from, to] = [length, 0];
  for (let i = 0; i < length; i += 1) {
    const place = (i + 0.5 - start) / step;
    // A pixel covers half a step to both sides of its centre.
    if (place < -0.5 || place >= count - 0.5) continue;
    from = Math.min(from, i);
    to = i + 1;
    const held = Math.min(count - 1, Math.max(0, place));
    const base = Math.min(Math.floor(held), Math.max(0, count - 2));
    first[i] = base;
    share[i] = held - base;
  }
  return { first, share, from, to };
}

/** Rows of the slice stretched to the screen; two are kept while rows of the screen lie between them. */
class Stretched {
  readonly #slice: Slice;
  readonly #columns: Axis;
  readonly #gain: number;
  readonly #lift: number;
  #rows: readonly [Float32Array, Float32Array];
  #held: readonly [number, number] = [-1, -1];

  constructor(slice: Slice, columns: Axis, [black, white]: readonly [number, number]) {
    this.#slice = slice;
    this.#columns = columns;
    this.#gain = 255 / Math.max(1e-6, white - black);
    this.#lift = -black * this.#gain;
    const width = columns.first.length;
    this.#rows = [new Float32Array(width), new Float32Array(width)];
  }

  /** A row and the one below it. */
  pair(row: number): readonly [Float32Array, Float32Array] {
    const below = Math.min(this.#slice.rows - 1, row + 1);
    const [upper, lower] = this.#rows;
    if (this.#held[1] === row) {
      this.#rows = [lower, upper];
      this.#held = [row, -1];
    }
    if (this.#held[0] !== row) this.#stretch(this.#rows[0], row);
    if (this.#held[1] !== below) this.#stretch(this.#rows[1], below);
    this.#held = [row, below];
    return this.#rows;
  }

  /** In shades before they are cut to 0 to 255. */
  #stretch(target: Float32Array, row: number): void {
    const { first, share, from, to } = this.#columns;
    const { values, columns } = this.#slice;
    const [gain, lift] = [this.#gain, this.#lift];
    const offset = row * columns;
    const beside = columns > 1 ? 1 : 0;
    for (let i = from; i < to; i += 1) {
      const place = offset + (first[i] as number);
      const left = values[place] as number;
      const right = values[place + beside] as number;
      target[i] = (left + (right - left) * (share[i] as number)) * gain + lift;
    }
  }
}

export function paint(canvas: Canvas, slice: Slice, map: Map2, window: Window, inverted: boolean): void {
  const { pixels, width, height } = canvas;
  const u = axis(width, map.x, map.column, slice.columns);
  const v = axis(height, map.y, map.row, slice.rows);
  const shade = SHADES[inverted ? 1 : 0];
  const stretched = new Stretched(slice, u, rangeOf(window));
  if (v.from > 0 || v.to < height || u.from > 0 || u.to < width) pixels.fill(OUTSIDE);
  for (let y = v.from; y < v.to; y += 1) {
    const [upper, lower] = stretched.pair(v.first[y] as number);
    const share = v.share[y] as number;
    for (let x = u.from, at = y * width + u.from; x < u.to; x += 1, at += 1) {
      const top = upper[x] as number;
      const grey = top + ((lower[x] as number) - top) * share + 0.5;
      pixels[at] = shade[grey < 0 ? 0 : grey > 255 ? 255 : grey | 0] as number;
    }
  }
}
