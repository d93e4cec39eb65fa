/**
 * Pure: planes computed across a series of thin, regular slices. Every value shown is a stored one: a computed slice
 * takes whole rows and columns of the series and never mixes two of them.
 */
import { add, angle, dot, length, type Plane, scale, subtract } from '../geometry.ts';
import type { DicomJson, Frame, Layout, Stack, Vec3 } from '../wire.ts';

export type Reformat = 'sagittal' | 'coronal' | 'axial';

export type Pixels = Int16Array | Uint16Array | Int8Array | Uint8Array | Float32Array;

/** A regular block of values: the step from one to the next along columns, rows and slices, mm, and how many there are. */
export interface Grid {
  readonly origin: Vec3;
  readonly steps: readonly [column: Vec3, row: Vec3, slice: Vec3];
  readonly counts: readonly [columns: number, rows: number, slices: number];
}

const FEWEST = 5;
const PARALLEL_DEGREES = 0.2;
/** Headers are rounded; more than this share of a step is another distance. */
const STEP_TOLERANCE = 0.05;
const SPACING_TOLERANCE = 1e-3;
/** Computed slices stand about this far apart where pixels are finer. */
const WALK_MM = 1;

/** The regular grid a series makes, or the sentence why it makes none. */
export function gridOf(planes: readonly (Plane | null)[]): Grid | string {
  const all = planes.filter((plane) => plane !== null);
  const [first] = all;
  const last = all.at(-1);
  if (!first || !last || all.length < planes.length) return 'Position or scale is missing in the header.';
  if (all.length < FEWEST) return `Only ${all.length} slices: too few.`;
  if (!all.every((plane) => sameRaster(first, plane)))
    return 'Size, scale or direction of the slices differ.';
  const step = scale(subtract(last.origin, first.origin), 1 / (all.length - 1));
  const between = length(step);
  if (between < 1e-3) return 'The slices lie in one place.';
  const uneven = all.some((plane, index) => {
    const away = subtract(plane.origin, add(first.origin, scale(step, index)));
    return Math.abs(dot(away, first.normal)) > STEP_TOLERANCE * between;
  });
  if (uneven) return 'A slice is missing, or the distance between slices differs.';
  const shift = subtract(step, scale(first.normal, dot(step, first.normal)));
  const pixel = Math.min(first.rowSpacing, first.columnSpacing);
  const wandering = all.some((plane) => {
    const away = subtract(plane.origin, first.origin);
    return length(subtract(away, scale(first.normal, dot(away, first.normal)))) > pixel / 2;
  });
  if (wandering || length(shift) * all.length > pixel) return 'The slices are tilted against the table.';
  return {
    origin: first.origin,
    steps: [
      scale(first.row, first.columnSpacing),
      scale(first.column, first.rowSpacing),
      scale(first.normal, dot(step, first.normal)),
    ],
    counts: [first.columns, first.rows, all.length],
  };
}

const sameRaster = (a: Plane, b: Plane): boolean =>
  a.rows === b.rows &&
  a.columns === b.columns &&
  a.frameOfReference === b.frameOfReference &&
  Math.abs(a.rowSpacing - b.rowSpacing) <= SPACING_TOLERANCE &&
  Math.abs(a.columnSpacing - b.columnSpacing) <= SPACING_TOLERANCE &&
  angle(a, b) <= PARALLEL_DEGREES &&
  dot(a.row, b.row) > Math.cos((PARALLEL_DEGREES * Math.PI) / 180);

/** Which axis of the grid is walked, which goes to the right and which down, each with its direction. */
export interface Walk {
  readonly through: Way;
  readonly right: Way;
  readonly down: Way;
  /** Places of the computed slices along the walked axis. */
  readonly places: readonly number[];
}

interface Way {
  readonly axis: 0 | 1 | 2;
  readonly forward: boolean;
}

/** Body axis and sense of: walking from the patient's right, the front or the head; the picture's right; its down. */
const STANDARD: Readonly<
  Record<Reformat, readonly [readonly [number, number], readonly [number, number], readonly [number, number]]>
> = {
  sagittal: [
    [0, 1],
    [1, 1],
    [2, -1],
  ],
  coronal: [
    [1, 1],
    [0, 1],
    [2, -1],
  ],
  axial: [
    [2, -1],
    [0, 1],
    [1, 1],
  ],
};

/** How a grid is walked for a plane in the standard view, or null when it stands too oblique to the body. */
export function walkOf(grid: Grid, plane: Reformat): Walk | null {
  const bodyAxes = grid.steps.map((step) => {
    const parts = step.map((part) => Math.abs(part) / length(step));
    return parts.findIndex((part) => part > Math.SQRT1_2);
  });
  if (new Set(bodyAxes).size < 3 || bodyAxes.includes(-1)) return null;
  const [through, right, down] = STANDARD[plane].map(([body, sense]): Way => {
    const axis = bodyAxes.indexOf(body) as 0 | 1 | 2;
    return { axis, forward: (grid.steps[axis][body as 0 | 1 | 2] as number) * sense > 0 };
  }) as [Way, Way, Way];
  const count = grid.counts[through.axis];
  const stride = Math.max(1, Math.round(WALK_MM / length(grid.steps[through.axis])));
  const start = Math.floor(((count - 1) % stride) / 2);
  const rising = Array.from({ length: Math.ceil((count - start) / stride) }, (_, i) => start + i * stride);
  return { through, right, down, places: through.forward ? rising : rising.reverse() };
}

/** The values of one computed slice from the values of all slices. */
export function cut(slices: readonly Pixels[], grid: Grid, walk: Walk, place: number): Pixels {
  const columns = grid.counts[0];
  const wide = grid.counts[walk.right.axis];
  const high = grid.counts[walk.down.axis];
  const kinds = new Set(slices.map((slice) => slice.constructor));
  const Kind = (kinds.size === 1 ? [...kinds][0] : Float32Array) as new (size: number) => Pixels;
  const made = new Kind(wide * high);
  const at: [number, number, number] = [0, 0, 0];
  at[walk.through.axis] = place;
  let target = 0;
  for (let v = 0; v < high; v += 1) {
    at[walk.down.axis] = walk.down.forward ? v : high - 1 - v;
    for (let u = 0; u < wide; u += 1) {
      at[walk.right.axis] = walk.right.forward ? u : wide - 1 - u;
      made[target] = (slices[at[2]] as Pixels)[at[1] * columns + at[0]] as number;
      target += 1;
    }
  }
  return made;
}

/** A stack whose frames are computed from those of another. */
export interface Computed extends Stack {
  readonly source: Stack;
  readonly grid: Grid;
  readonly walk: Walk;
  readonly reformat: Reformat;
}

export const isComputed = (stack: Stack | null | undefined): stack is Computed =>
  stack !== null && stack !== undefined && 'reformat' in stack;

/** Scheme of the addresses of computed frames; nothing is fetched from them. */
const COMPUTED = 'computed';

/** The stack of a plane computed from a series, or the sentence why there is none. */
export function reformatted(
  stack: Stack,
  planes: readonly (Plane | null)[],
  plane: Reformat,
): Computed | string {
  const grid = gridOf(planes);
  if (typeof grid === 'string') return grid;
  const walk = walkOf(grid, plane);
  if (!walk) return 'The slices stand too oblique to the body.';
  const like = stack.frames[Math.floor(stack.frames.length / 2)] as Frame;
  // The frames' own addresses are part of the name: a new address of the same case makes new computed slices.
  const name = `${COMPUTED}:${like.image}:${plane}`;
  return {
    id: `${stack.id}:${plane}`,
    role: stack.role,
    title: `${stack.title} · ${plane}, computed`,
    plane,
    automatic_window: stack.automatic_window ?? null,
    frames: walk.places.map((place) => ({
      image: `${name}:${place}`,
      uid: '',
      metadata: metadataOf(like.metadata, grid, walk, place),
    })),
    source: stack,
    grid,
    walk,
    reformat: plane,
  };
}

/** The header of a computed slice: its own raster, and values that are final already. */
function metadataOf(like: DicomJson, grid: Grid, walk: Walk, place: number): DicomJson {
  const corner: [number, number, number] = [0, 0, 0];
  corner[walk.through.axis] = place;
  for (const way of [walk.right, walk.down]) {
    corner[way.axis] = way.forward ? 0 : grid.counts[way.axis] - 1;
  }
  const position = grid.steps.reduce<Vec3>(
    (sum, step, axis) => add(sum, scale(step, corner[axis] as number)),
    grid.origin,
  );
  const towards = (way: Way): Vec3 => {
    const step = grid.steps[way.axis];
    return scale(step, (way.forward ? 1 : -1) / length(step));
  };
  const spacing = (way: Way) => length(grid.steps[way.axis]);
  const { '00080018': _instance, '00280008': _frames, ...kept } = like;
  // What is cut was rescaled when it was decoded; where the header told no rescale, none is claimed.
  const rescaled = like['00281052'] && like['00281053'];
  return {
    ...kept,
    '00200032': { vr: 'DS', Value: [...position] },
    '00200037': { vr: 'DS', Value: [...towards(walk.right), ...towards(walk.down)] },
    '00280010': { vr: 'US', Value: [grid.counts[walk.down.axis]] },
    '00280011': { vr: 'US', Value: [grid.counts[walk.right.axis]] },
    '00280030': { vr: 'DS', Value: [spacing(walk.down), spacing(walk.right)] },
    ...(rescaled && { '00281052': { vr: 'DS', Value: [0] }, '00281053': { vr: 'DS', Value: [1] } }),
  };
}

/** Distance between the slices of a regular series, mm. */
export const sliceStep = (grid: Grid): number => length(grid.steps[2]);

/** Why a layout cannot be offered with these stacks, or nothing when it can. */
export function obstacle(
  layout: Layout,
  stackFor: (role: string) => { readonly stack: Stack; readonly planes: readonly (Plane | null)[] } | null,
): string {
  for (const view of layout.views) {
    if (!view.reformat) continue;
    const found = stackFor(view.role);
    if (!found) return 'The series is missing.';
    const made = reformatted(found.stack, found.planes, view.reformat);
    if (typeof made === 'string') return made;
    const most = layout.max_slice_mm ?? Number.POSITIVE_INFINITY;
    const step = sliceStep(made.grid);
    if (step > most * 1.01)
      return `Slices are ${step.toFixed(1)} mm apart; at most ${most.toFixed(1)} mm are needed.`;
  }
  return '';
}
