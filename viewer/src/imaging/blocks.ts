/** Pure: the blocks an axial series comes in, one a disc, and the discs between named vertebrae. */
import { add, angle, centre, depth, distanceToSlice, type Plane, scale } from '../geometry.ts';
import type { Label, Vec3 } from '../wire.ts';

export interface Block {
  readonly first: number;
  readonly last: number;
  /** The disc it lies on, where labels tell it. */
  readonly disc: string;
}

export interface Disc {
  readonly name: string;
  readonly point: Vec3;
}

const TURN_DEGREES = 1;
/** A gap this many times the usual step begins another block. */
const GAP = 2.5;
/** A disc lies in a block when it is not farther from the block's middle slice than half the block and this, mm. */
const NEAR_MM = 4;

/** The discs between neighbouring labels, e.g. "L4/5", from the head down; labels that skip a vertebra name none. */
export function discsOf(labels: readonly Label[]): readonly Disc[] {
  const downwards = [...labels].sort((a, b) => b.point_lps_mm[2] - a.point_lps_mm[2]);
  return downwards.flatMap((above, index) => {
    const below = downwards[index + 1];
    const name = below ? discName(above.text, below.text) : '';
    if (!below || name === '') return [];
    return [{ name, point: scale(add(above.point_lps_mm, below.point_lps_mm), 0.5) }];
  });
}

function discName(above: string, below: string): string {
  const [, letter, number] = /^([A-Z])(\d+)$/.exec(above) ?? [];
  const [, other, next] = /^([A-Z])(\d+)$/.exec(below) ?? [];
  if (letter === undefined || other === undefined) return '';
  if (letter === other) return Number(next) === Number(number) + 1 ? `${above}/${next}` : '';
  return letter === 'L' && Number(number) >= 4 && below === 'S1' ? `${above}/${below}` : '';
}

/** The blocks of a stack in slice order; nothing for a stack that is one block. */
export function blocksOf(planes: readonly (Plane | null)[], discs: readonly Disc[]): readonly Block[] {
  const starts = boundaries(planes);
  if (starts.length < 2) return [];
  const bare = starts.map((first, index) => ({ first, last: (starts[index + 1] ?? planes.length) - 1 }));
  const named = new Map<number, { readonly name: string; readonly away: number }>();
  for (const disc of discs) {
    const distances = bare.map((block) => fromBlock(planes, block, disc.point));
    const least = Math.min(...distances);
    const at = distances.indexOf(least);
    if (Number.isFinite(least) && least < (named.get(at)?.away ?? Number.POSITIVE_INFINITY)) {
      named.set(at, { name: disc.name, away: least });
    }
  }
  return bare.map((block, index) => ({ ...block, disc: named.get(index)?.name ?? '' }));
}

export const blockAt = (blocks: readonly Block[], index: number): number =>
  blocks.findIndex((block) => block.first <= index && index <= block.last);

/** The middle slice of a block. */
export const middleOf = (block: Block): number => Math.floor((block.first + block.last) / 2);

function boundaries(planes: readonly (Plane | null)[]): readonly number[] {
  const steps = planes.slice(1).map((plane, index) => stepBetween(planes[index] ?? null, plane));
  const usual = [...steps].filter(Number.isFinite).sort((a, b) => a - b);
  const middle = usual[Math.floor(usual.length / 2)] ?? Number.POSITIVE_INFINITY;
  const cuts = steps.flatMap((step, index) => (step > middle * GAP ? [index + 1] : []));
  return planes.length > 0 ? [0, ...cuts] : [];
}

/** From one slice to the next, mm; endless where they are not parallel. */
function stepBetween(a: Plane | null, b: Plane | null): number {
  if (!a || !b) return a === b ? Number.NaN : Number.POSITIVE_INFINITY;
  return angle(a, b) > TURN_DEGREES ? Number.POSITIVE_INFINITY : Math.abs(depth(a, centre(b)));
}

/** How far a point lies from a block's middle; endless when it is outside of it. */
function fromBlock(
  planes: readonly (Plane | null)[],
  block: { readonly first: number; readonly last: number },
  point: Vec3,
): number {
  const [first, last] = [planes[block.first], planes[block.last]];
  const middle = planes[Math.floor((block.first + block.last) / 2)];
  if (!first || !last || !middle) return Number.POSITIVE_INFINITY;
  const away = distanceToSlice(middle, point);
  return away <= Math.abs(depth(first, centre(last))) / 2 + NEAR_MM ? away : Number.POSITIVE_INFINITY;
}
