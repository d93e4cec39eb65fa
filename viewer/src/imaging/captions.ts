/** What a view says about its picture, and what it draws on it. */
import { cutLine, depth, type Plane } from '../geometry.ts';
import type { Points, Stack, Vec3 } from '../wire.ts';
import { type Block, blockAt } from './blocks.ts';
import type { Drawing, SlipDrawing } from './overlay.ts';
import { labelDrawings, slipDrawing, toScreen, type Viewport } from './screen.ts';

/** Slices named in a view's note. */
const MOST_NAMED = 4;
/** A located point is drawn on slices not farther from it, mm. */
const NEAR_MM = 6;

export interface Mark {
  readonly cell: string;
  readonly points: Points;
}

/** A stack at one of its slices, with all that is known to lie on it. */
export interface Scene {
  readonly stack: Stack;
  /** -1 while none is shown. */
  readonly shown: number;
  readonly wanted: number;
  readonly blocks: readonly Block[];
  readonly marks: readonly Mark[];
  readonly pending: readonly Vec3[];
  /** The images that carry marks, by uid. */
  readonly drawnOn: ReadonlySet<string>;
  /** Slices of other views, drawn as lines where they cross this one. */
  readonly references: readonly Plane[];
  readonly located: Vec3 | null;
}

const place = ({ shown, wanted }: Scene): number => (shown >= 0 ? shown : wanted);

export function sliceText(scene: Scene, loading: boolean): string {
  const count = scene.stack.frames.length;
  if (loading && scene.shown !== scene.wanted) return `loading ${scene.wanted + 1}/${count}`;
  return `${place(scene) + 1}/${count}`;
}

export function blockText(scene: Scene): string {
  const index = blockAt(scene.blocks, place(scene));
  const block = scene.blocks[index];
  if (!block) return '';
  return `block ${index + 1} of ${scene.blocks.length}${block.disc ? ` · ${block.disc}` : ''}`;
}

/** Where else in the stack something is marked. */
export function elsewhere({ stack, shown, marks, drawnOn }: Scene): string {
  for (const mark of marks) {
    const index = stack.frames.findIndex((frame) => frame.uid === mark.points.uid);
    if (index >= 0 && index !== shown) return `points on slice ${index + 1}`;
  }
  const drawn = stack.frames.flatMap(({ uid }, at) => (at !== shown && drawnOn.has(uid) ? [at + 1] : []));
  if (drawn.length === 0) return '';
  const more = drawn.length > MOST_NAMED ? ' …' : '';
  return `marks on slice ${drawn.slice(0, MOST_NAMED).join(', ')}${more}`;
}

/**
 * What has to be said on the picture: no place in the patient, or sides that lie the other way round than usual, as in
 * a prone CT as it was acquired.
 */
export function noteOf(scene: Scene, plane: Plane | null, left: string): string {
  if (!plane) return 'Position or scale is missing: no sides, no measuring, no locating';
  const swapped = left.startsWith('L') ? 'patient’s left is at the left' : '';
  return [swapped, elsewhere(scene)].filter(Boolean).join(' · ');
}

/** The lines, points and names that lie on the slice. */
export function drawingOf(scene: Scene, plane: Plane, viewport: Viewport): Drawing {
  const cuts = scene.references.flatMap((other) => {
    const found = cutLine(other, plane);
    return found ? [found] : [];
  });
  const near = scene.located && Math.abs(depth(plane, scene.located)) < NEAR_MM ? scene.located : null;
  const uid = scene.stack.frames[scene.shown]?.uid;
  const slips: SlipDrawing[] = scene.marks
    .filter((mark) => mark.points.uid === uid)
    .map((mark) => slipDrawing(viewport, mark.cell, mark.points.points_lps_mm, true));
  if (scene.pending.length > 0) slips.push(slipDrawing(viewport, '', scene.pending, false));
  return {
    lines: cuts.map(([from, to]) => [toScreen(viewport, from), toScreen(viewport, to)] as const),
    spot: near ? toScreen(viewport, near) : null,
    slips,
    labels: labelDrawings(viewport, plane, scene.stack.labels ?? []),
  };
}
