/** Pure: what can be measured on one slice. Millimetres come from its plane, grey values from its pixels. */
import { add, dot, length, type Plane, scale, subtract } from './geometry.ts';
import type { DicomJson, ImageMark, Vec3 } from './wire.ts';

/** Continuous column and row of a patient point in the slice; (0, 0) is the centre of the first pixel. */
export function pixelOf(plane: Plane, point: Vec3): readonly [number, number] {
  const away = subtract(point, plane.origin);
  return [dot(away, plane.row) / plane.columnSpacing, dot(away, plane.column) / plane.rowSpacing];
}

/** Within the edges of the image: half a pixel beyond the centre of the outermost one. */
export function within(plane: Plane, point: Vec3): boolean {
  const [column, row] = pixelOf(plane, point);
  return column >= -0.5 && row >= -0.5 && column <= plane.columns - 0.5 && row <= plane.rows - 0.5;
}

/** The point of the image nearest to a point in its plane. */
export function clamped(plane: Plane, point: Vec3): Vec3 {
  if (within(plane, point)) return point;
  const [column, row] = pixelOf(plane, point);
  const across = (Math.min(plane.columns - 0.5, Math.max(-0.5, column)) - column) * plane.columnSpacing;
  const down = (Math.min(plane.rows - 0.5, Math.max(-0.5, row)) - row) * plane.rowSpacing;
  // Rounded directions are not quite at right angles: a long way along one is a step along the other too.
  const skew = dot(plane.row, plane.column);
  const along = scale(plane.row, (across - skew * down) / (1 - skew * skew));
  return add(point, add(along, scale(plane.column, (down - skew * across) / (1 - skew * skew))));
}

export const distance = (a: Vec3, b: Vec3): number => length(subtract(a, b));

/** The angle at `corner`, 0 to 180 degrees; null where an arm has no length. */
export function angleAt(a: Vec3, corner: Vec3, b: Vec3): number | null {
  const [one, other] = [subtract(a, corner), subtract(b, corner)];
  const sizes = length(one) * length(other);
  if (sizes < 1e-6) return null;
  return (Math.acos(Math.min(1, Math.max(-1, dot(one, other) / sizes))) * 180) / Math.PI;
}

export interface Ellipse {
  readonly centre: Vec3;
  /** Half axes along the rows and along the columns of the image, mm. */
  readonly across: number;
  readonly down: number;
}

/** The ellipse in the box between two opposite corners. */
export function ellipseOf(plane: Plane, a: Vec3, b: Vec3): Ellipse {
  const diagonal = subtract(b, a);
  return {
    centre: add(a, scale(diagonal, 0.5)),
    across: Math.abs(dot(diagonal, plane.row)) / 2,
    down: Math.abs(dot(diagonal, plane.column)) / 2,
  };
}

export const areaOf = ({ across, down }: Ellipse): number => Math.PI * across * down;

/** The outline as patient points, so that it follows however the slice is turned on the screen. */
export function outline(plane: Plane, { centre, across, down }: Ellipse, steps = 48): readonly Vec3[] {
  return Array.from({ length: steps }, (_, index) => {
    const turn = (2 * Math.PI * index) / steps;
    const side = scale(plane.row, across * Math.cos(turn));
    return add(centre, add(side, scale(plane.column, down * Math.sin(turn))));
  });
}

/** The other two corners of an ellipse's box. */
export function otherCorners(plane: Plane, a: Vec3, b: Vec3): readonly [Vec3, Vec3] {
  const across = scale(plane.row, dot(subtract(b, a), plane.row));
  return [add(a, across), subtract(b, across)];
}

export type Grey = (column: number, row: number) => number;

/** The stored value under a point, or null outside the image. */
export function valueAt(plane: Plane, point: Vec3, grey: Grey): number | null {
  const [column, row] = pixelOf(plane, point).map(Math.round) as [number, number];
  const inside = column >= 0 && row >= 0 && column < plane.columns && row < plane.rows;
  const value = inside ? grey(column, row) : Number.NaN;
  return Number.isFinite(value) ? value : null;
}

export interface Spread {
  readonly mean: number;
  /** Of the pixels as they are (divided by n); null for a single one. */
  readonly sd: number | null;
  readonly pixels: number;
}

/** Mean and SD over the pixels whose centres lie in the ellipse; null when there are none. */
export function spreadIn(plane: Plane, ellipse: Ellipse, grey: Grey): Spread | null {
  const [column, row] = pixelOf(plane, ellipse.centre);
  const [wide, high] = [ellipse.across / plane.columnSpacing, ellipse.down / plane.rowSpacing];
  const bottom = Math.min(plane.rows - 1, Math.floor(row + high));
  let [count, sum, squares] = [0, 0, 0];
  for (let r = Math.max(0, Math.ceil(row - high)); r <= bottom; r += 1) {
    const half = wide * Math.sqrt(Math.max(0, 1 - ((r - row) / high) ** 2));
    const right = Math.min(plane.columns - 1, Math.floor(column + half));
    for (let c = Math.max(0, Math.ceil(column - half)); c <= right; c += 1) {
      const value = grey(c, r);
      count += 1;
      sum += value;
      squares += value * value;
    }
  }
  if (count === 0 || !Number.isFinite(sum)) return null;
  const mean = sum / count;
  const variance = Math.max(0, squares / count - mean * mean);
  return { mean, sd: count > 1 ? Math.sqrt(variance) : null, pixels: count };
}

/** What grey values are: Hounsfield units, the scanner's own signal, or unknown where CT tells no rescale. */
export function greyUnit(json: DicomJson): 'HU' | 'signal' | null {
  if (json['00080060']?.Value?.[0] !== 'CT') return 'signal';
  const given = (tag: string) => Number.isFinite(Number(json[tag]?.Value?.[0] ?? Number.NaN));
  const kind = json['00281054']?.Value?.[0] ?? 'HU';
  return given('00281052') && given('00281053') && kind === 'HU' ? 'HU' : null;
}

const NO_HU = 'no HU: the image tells no rescale';

type Unit = ReturnType<typeof greyUnit>;

const said = (value: number, unit: Unit): string =>
  unit === 'HU' ? `${Math.round(value)} HU` : `signal ${Math.round(value)}`;

function pointLines(plane: Plane, a: Vec3, unit: Unit, grey: Grey | null): readonly string[] {
  if (unit === null) return [NO_HU];
  const value = grey ? valueAt(plane, a, grey) : null;
  return value === null ? [] : [said(value, unit)];
}

function ellipseLines(plane: Plane, ellipse: Ellipse, unit: Unit, grey: Grey | null): readonly string[] {
  const area = areaOf(ellipse);
  const size = `${area.toFixed(area < 10 ? 1 : 0)} mm²`;
  if (unit === null) return [size, NO_HU];
  const spread = grey ? spreadIn(plane, ellipse, grey) : null;
  if (!spread) return [size];
  const sd = spread.sd === null ? 'one pixel' : `SD ${Math.round(spread.sd)}`;
  return [`mean ${said(spread.mean, unit)} · ${sd}`, size];
}

function angleLines(a: Vec3, corner: Vec3, b: Vec3): readonly string[] {
  const angle = angleAt(a, corner, b);
  return angle === null ? [] : [`${angle.toFixed(1)}°`];
}

/** What a mark says, one line each; a number only with its unit, else why there is none. */
export function linesOf(
  mark: ImageMark,
  plane: Plane,
  json: DicomJson,
  grey: Grey | null,
): readonly string[] {
  const [a, b, c] = mark.points_lps_mm;
  if (!a) return [];
  if (mark.kind === 'point') return pointLines(plane, a, greyUnit(json), grey);
  if (!b) return [];
  switch (mark.kind) {
    case 'arrow':
      return mark.label ? [mark.label] : [];
    case 'length':
      return [`${distance(a, b).toFixed(1)} mm`];
    case 'angle':
      return c ? angleLines(a, b, c) : [];
    case 'ellipse':
      return ellipseLines(plane, ellipseOf(plane, a, b), greyUnit(json), grey);
  }
}
