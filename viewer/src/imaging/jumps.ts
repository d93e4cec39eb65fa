/** Pure: where a quick jump goes in one stack. Sides are the patient's: the left is where x grows. */
import { centre, depth, nearestSlice, type Plane, planeName } from '../geometry.ts';
import type { Jump, Stack, Vec3 } from '../wire.ts';
import type { Disc } from './blocks.ts';

/** What a case tells about places, in the space of one stack. */
export interface Landmarks {
  /** Middles of vertebral bodies. */
  readonly bodies: readonly Vec3[];
  readonly discs: readonly Disc[];
  /** Name of the index segment, where the study tells it. */
  readonly index: string;
}

export interface Goal {
  readonly index: number | null;
  /** What has to be said: why nothing moved, or on what the place rests. */
  readonly note: string;
}

const STAY: Goal = { index: null, note: '' };

export function goalOf(jump: Jump, stack: Stack, planes: readonly (Plane | null)[], known: Landmarks): Goal {
  const like = planes[Math.floor(planes.length / 2)];
  if (!like) return { index: null, note: 'Position is missing: no jumps here.' };
  const name = planeName(like);
  if (jump.kind === 'lateral') return name === 'sagittal' ? lateral(jump, planes, like, known) : STAY;
  return name === 'axial' ? disc(stack, planes, like, known) : STAY;
}

function lateral(jump: Jump, planes: readonly (Plane | null)[], like: Plane, known: Landmarks): Goal {
  const home = known.discs.find((one) => one.name === known.index)?.point ?? mean(known.bodies);
  const start = home ?? middle(planes);
  if (!start) return { index: null, note: 'Position is missing: no jumps here.' };
  const goal: Vec3 = [start[0] + jump.left_mm, start[1], start[2]];
  const away = planes.map((plane) => (plane ? Math.abs(depth(plane, goal)) : Number.POSITIVE_INFINITY));
  const least = Math.min(...away);
  const step = stepOf(planes, like);
  if (least > Math.max(step, 1)) return { index: null, note: `${jump.title}: outside this series` };
  const note = home ? '' : `${jump.title}: counted from the middle of the series`;
  return { index: away.indexOf(least), note };
}

function disc(stack: Stack, planes: readonly (Plane | null)[], like: Plane, known: Landmarks): Goal {
  const found = known.discs.find((one) => one.name === known.index);
  if (found) return { index: nearestSlice(planes, found.point, like), note: '' };
  if (typeof stack.index_slice === 'number') return { index: stack.index_slice, note: '' };
  const why = known.index === '' ? 'the study does not tell the level' : 'no vertebra is labelled';
  return { index: null, note: `Index disc: ${why}` };
}

function mean(points: readonly Vec3[]): Vec3 | null {
  if (points.length === 0) return null;
  const sum = (axis: 0 | 1 | 2) => points.reduce((total, point) => total + point[axis], 0) / points.length;
  return [sum(0), sum(1), sum(2)];
}

/** The middle of the volume between the first and the last slice. */
function middle(planes: readonly (Plane | null)[]): Vec3 | null {
  const [first, last] = [planes[0], planes.at(-1)];
  return first && last ? mean([centre(first), centre(last)]) : null;
}

function stepOf(planes: readonly (Plane | null)[], like: Plane): number {
  const [first, last] = [planes[0], planes.at(-1)];
  if (!first || !last || planes.length < 2) return 0;
  return Math.abs(depth(like, centre(first)) - depth(like, centre(last))) / (planes.length - 1);
}
