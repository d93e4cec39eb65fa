/**
 * Pure geometry in patient space. Points are LPS millimetres: +x left, +y back, +z head.
 * Nothing here knows the page or a particular finding.
 */
import type { DicomJson, Vec3 } from './wire.ts';

export interface Plane {
  /** Centre of the first pixel. */
  readonly origin: Vec3;
  /** Direction of growing column index. */
  readonly row: Vec3;
  /** Direction of growing row index. */
  readonly column: Vec3;
  readonly normal: Vec3;
  /** Distance between rows and between columns, mm. */
  readonly rowSpacing: number;
  readonly columnSpacing: number;
  readonly rows: number;
  readonly columns: number;
  readonly frameOfReference: string | null;
}

export const add = (a: Vec3, b: Vec3): Vec3 => [a[0] + b[0], a[1] + b[1], a[2] + b[2]];
export const subtract = (a: Vec3, b: Vec3): Vec3 => [a[0] - b[0], a[1] - b[1], a[2] - b[2]];
export const scale = (a: Vec3, k: number): Vec3 => [a[0] * k, a[1] * k, a[2] * k];
export const dot = (a: Vec3, b: Vec3): number => a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
export const length = (a: Vec3): number => Math.sqrt(dot(a, a));
export const cross = (a: Vec3, b: Vec3): Vec3 => [
  a[1] * b[2] - a[2] * b[1],
  a[2] * b[0] - a[0] * b[2],
  a[0] * b[1] - a[1] * b[0],
];

function numbers(json: DicomJson, tag: string, count: number): readonly number[] | null {
  const value = json[tag]?.Value;
  if (!value || value.length < count) return null;
  const parsed = value.slice(0, count).map(Number);
  return parsed.every(Number.isFinite) ? parsed : null;
}

/**
 * The plane of one frame, or null where position, orientation or spacing is missing or degenerate. Metadata never change,
 * and their plane is asked for again and again: it is kept as long as they are.
 */
export function planeOf(json: DicomJson): Plane | null {
  let plane = known.get(json);
  if (plane === undefined) {
    plane = readPlane(json);
    known.set(json, plane);
  }
  return plane;
}

const known = new WeakMap<DicomJson, Plane | null>();

function readPlane(json: DicomJson): Plane | null {
  const position = numbers(json, '00200032', 3);
  const orientation = numbers(json, '00200037', 6);
  const spacing = numbers(json, '00280030', 2);
  const rows = numbers(json, '00280010', 1)?.[0];
  const columns = numbers(json, '00280011', 1)?.[0];
  if (!position || !orientation || !spacing || !rows || !columns) return null;
  const given = [orientation.slice(0, 3), orientation.slice(3, 6)] as unknown as readonly [Vec3, Vec3];
  const [rowSpacing = 0, columnSpacing = 0] = spacing;
  const unit = (v: Vec3) => Math.abs(length(v) - 1) < 1e-2;
  if (rowSpacing <= 0 || columnSpacing <= 0) return null;
  if (!given.every(unit) || Math.abs(dot(...given)) > 1e-2) return null;
  // Headers round; a direction of another length than 1 would move a point at the image's edge out of it.
  const [row, column] = given.map((v) => scale(v, 1 / length(v))) as [Vec3, Vec3];
  const uid = json['00200052']?.Value?.[0];
  return {
    origin: position as unknown as Vec3,
    row,
    column,
    normal: cross(row, column),
    rowSpacing,
    columnSpacing,
    rows,
    columns,
    frameOfReference: typeof uid === 'string' && uid !== '' ? uid : null,
  };
}

/** The patient point of a continuous pixel position; (0, 0) is the centre of the first pixel. */
export const pixelToPatient = (plane: Plane, columnIndex: number, rowIndex: number): Vec3 =>
  add(
    plane.origin,
    add(
      scale(plane.row, columnIndex * plane.columnSpacing),
      scale(plane.column, rowIndex * plane.rowSpacing),
    ),
  );

export const centre = (plane: Plane): Vec3 =>
  pixelToPatient(plane, (plane.columns - 1) / 2, (plane.rows - 1) / 2);

/** Angle between two planes in degrees, 0 to 90. */
export function angle(a: Plane, b: Plane): number {
  const cosine = Math.abs(dot(a.normal, b.normal)) / (length(a.normal) * length(b.normal));
  return (Math.acos(Math.min(1, cosine)) * 180) / Math.PI;
}

export type PlaneName = 'sagittal' | 'axial' | 'coronal' | 'oblique';

/** Named when the normal is within 45 degrees of an axis and clearly nearest to it. */
export function planeName(plane: Plane): PlaneName {
  const [x, y, z] = plane.normal.map(Math.abs) as [number, number, number];
  const most = Math.max(x, y, z);
  if (most < Math.SQRT1_2) return 'oblique';
  if (most === x) return 'sagittal';
  return most === z ? 'axial' : 'coronal';
}

const sharesFrame = (a: Plane, b: Plane): boolean =>
  a.frameOfReference !== null && a.frameOfReference === b.frameOfReference;

export const LINK_DEGREES = 15;

/** May two slices scroll together: one frame of reference and at most 15 degrees apart. */
export const linkable = (a: Plane, b: Plane): boolean => sharesFrame(a, b) && angle(a, b) <= LINK_DEGREES;

/** Signed distance along `along`'s normal from its plane to the point, mm. */
export const depth = (along: Plane, point: Vec3): number => dot(subtract(point, along.origin), along.normal);

/**
 * The slice of a stack nearest to the source slice's centre, or null where the two must not be linked.
 * `offset` (mm along the target's normal) allows for a patient who moved between the series.
 */
export function linkedIndex(source: Plane, target: readonly (Plane | null)[], offset = 0): number | null {
  const point = centre(source);
  let best: number | null = null;
  let least = Number.POSITIVE_INFINITY;
  target.forEach((plane, index) => {
    if (!plane || !linkable(source, plane)) return;
    const distance = Math.abs(depth(plane, point) + offset);
    if (distance < least) {
      least = distance;
      best = index;
    }
  });
  return best;
}

/** Distance from a point to the finite rectangle of a slice, mm. */
export function distanceToSlice(plane: Plane, point: Vec3): number {
  const away = subtract(point, plane.origin);
  const width = (plane.columns - 1) * plane.columnSpacing;
  const height = (plane.rows - 1) * plane.rowSpacing;
  const u = Math.min(width, Math.max(0, dot(away, plane.row)));
  const v = Math.min(height, Math.max(0, dot(away, plane.column)));
  const nearest = add(plane.origin, add(scale(plane.row, u), scale(plane.column, v)));
  return length(subtract(point, nearest));
}

/** The slice nearest to a patient point; tilted blocks are handled as the finite rectangles they are. */
export function nearestSlice(planes: readonly (Plane | null)[], point: Vec3, like: Plane): number | null {
  let best: number | null = null;
  let least = Number.POSITIVE_INFINITY;
  planes.forEach((plane, index) => {
    if (!plane || !sharesFrame(plane, like)) return;
    const distance = distanceToSlice(plane, point);
    if (distance < least) {
      least = distance;
      best = index;
    }
  });
  return best;
}

/** Where the source slice's rectangle cuts the target's plane: two patient points, or null when nearly parallel. */
export function cutLine(source: Plane, target: Plane): readonly [Vec3, Vec3] | null {
  if (!sharesFrame(source, target) || angle(source, target) <= LINK_DEGREES) return null;
  const corner = (c: number, r: number) => pixelToPatient(source, c, r);
  const right = source.columns - 0.5;
  const bottom = source.rows - 0.5;
  const corners = [corner(-0.5, -0.5), corner(right, -0.5), corner(right, bottom), corner(-0.5, bottom)];
  const hits: Vec3[] = [];
  corners.forEach((from, index) => {
    const to = corners[(index + 1) % 4] as Vec3;
    const start = depth(target, from);
    const end = depth(target, to);
    if (start === end || start * end > 0) return;
    const hit = add(from, scale(subtract(to, from), start / (start - end)));
    if (hits.every((other) => length(subtract(hit, other)) > 1e-6)) hits.push(hit);
  });
  return hits.length >= 2 ? [hits[0] as Vec3, hits[1] as Vec3] : null;
}

/** How far from its slice a label still belongs to what is seen: about half a vertebral body. */
export const LABEL_NEAR_MM = 10;
/** From the middle of a vertebral body to just before its front wall; marrow and discs stay free. */
export const LABEL_BEFORE_MM = 22;

/**
 * Where vertebrae's names stand on a sagittal slice: in the slice, each before its own front wall, which follows the
 * curve of the spine. Nothing for a point the slice is not near, and nothing on slices of other planes.
 */
export function labelPlaces<L extends { readonly point_lps_mm: Vec3 }>(
  plane: Plane,
  labels: readonly L[],
): readonly { readonly label: L; readonly at: Vec3 }[] {
  if (planeName(plane) !== 'sagittal') return [];
  const flat = (v: Vec3): Vec3 => subtract(v, scale(plane.normal, dot(v, plane.normal)));
  const upwards = [...labels].sort((a, b) => a.point_lps_mm[2] - b.point_lps_mm[2]);
  return upwards.flatMap((label, index) => {
    const away = depth(plane, label.point_lps_mm);
    if (Math.abs(away) > LABEL_NEAR_MM) return [];
    const below = upwards[Math.max(0, index - 1)] ?? label;
    const above = upwards[Math.min(upwards.length - 1, index + 1)] ?? label;
    const along = flat(subtract(above.point_lps_mm, below.point_lps_mm));
    const up = length(along) > 1 ? scale(along, 1 / length(along)) : flat([0, 0, 1]);
    const ahead = flat([0, -1, 0]);
    const forward = subtract(ahead, scale(up, dot(ahead, up)));
    if (length(forward) < 0.1) return [];
    const inSlice = subtract(label.point_lps_mm, scale(plane.normal, away));
    return [{ label, at: add(inSlice, scale(forward, LABEL_BEFORE_MM / length(forward))) }];
  });
}

export interface Slip {
  /** Along the endplate from its back corner towards its front, mm; negative is backwards. */
  readonly value: number;
  readonly endplate: number;
  readonly foot: Vec3;
}

/** Foot of the perpendicular from `q` onto the line back corner `p` to front corner `a`. */
export function slip(p: Vec3, a: Vec3, q: Vec3): Slip | null {
  const along = subtract(a, p);
  const endplate = length(along);
  if (endplate < 1e-3) return null;
  const unit = scale(along, 1 / endplate);
  const value = dot(subtract(q, p), unit);
  return { value, endplate, foot: add(p, scale(unit, value)) };
}

/** Letters for a direction in the patient: the main axis, and a second one when it leans that way. */
export function letters(direction: Vec3): string {
  const size = length(direction);
  if (size === 0) return '';
  const named: readonly (readonly [number, string])[] = [
    [direction[0] / size, direction[0] > 0 ? 'L' : 'R'],
    [direction[1] / size, direction[1] > 0 ? 'P' : 'A'],
    [direction[2] / size, direction[2] > 0 ? 'H' : 'F'],
  ];
  return [...named]
    .sort((a, b) => Math.abs(b[0]) - Math.abs(a[0]))
    .filter(([part], index) => index === 0 || (index === 1 && Math.abs(part) > 0.35))
    .map(([, letter]) => letter)
    .join('');
}

/** Position of a slice along its main axis, as "L 4.2 mm". */
export function positionText(plane: Plane): string {
  const middle = centre(plane);
  const axis = { sagittal: 0, coronal: 1, axial: 2, oblique: 2 }[planeName(plane)] as 0 | 1 | 2;
  const letter = (['RL', 'AP', 'FH'][axis] as string).charAt(middle[axis] >= 0 ? 1 : 0);
  return `${letter} ${Math.abs(middle[axis]).toFixed(1)} mm`;
}

/** The longest round bar that fits, given millimetres per screen pixel. */
export function scaleBar(
  mmPerPixel: number,
  most: number,
): { readonly mm: number; readonly px: number } | null {
  if (!(mmPerPixel > 0) || !Number.isFinite(mmPerPixel)) return null;
  const fitting = [200, 100, 50, 20, 10, 5, 2, 1].find((mm) => mm / mmPerPixel <= most);
  return fitting === undefined ? null : { mm: fitting, px: fitting / mmPerPixel };
}

/** Frame numbers from the start slice outwards, so that what is looked at first is loaded first. */
export function outwards(count: number, start: number): readonly number[] {
  return Array.from({ length: count }, (_, index) => index).sort(
    (a, b) => Math.abs(a - start) - Math.abs(b - start) || a - b,
  );
}
