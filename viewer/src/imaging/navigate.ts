/** From place to place: locating a point, lines of the other views, quick jumps, disc blocks. */
import { nearestSlice, type Plane, planeOf } from '../geometry.ts';
import type { Jump, Label, Stack } from '../wire.ts';
import { blockAt, blocksOf, discsOf, middleOf } from './blocks.ts';
import { goalOf, type Landmarks } from './jumps.ts';
import type { Spot } from './overlay.ts';
import type { View } from './view.ts';
import type { Wall } from './wall.ts';

export interface Ground {
  readonly wall: Wall;
  /** Name of the index segment, where the study tells it. */
  index(): string;
  go(view: View, index: number): void;
  /** Lines of every view in every other one, not of the active view alone. */
  crossed(): boolean;
}

export const planesOf = (stack: Stack): readonly (Plane | null)[] =>
  stack.frames.map((frame) => planeOf(frame.metadata));

/** What a case tells about places in the space of a stack; labels of another space would stand anywhere. */
export function landmarks(stack: Stack, stacks: readonly Stack[], index: string): Landmarks {
  const space = spaceOf(stack);
  const home = stacks.find(
    (one) => (one.labels?.length ?? 0) > 0 && (one === stack || spaceOf(one) === space),
  );
  const labels: readonly Label[] = (space !== null || home === stack ? home?.labels : undefined) ?? [];
  return { bodies: labels.map((label) => label.point_lps_mm), discs: discsOf(labels), index };
}

function spaceOf(stack: Stack): string | null {
  const [first] = stack.frames;
  return first ? (planeOf(first.metadata)?.frameOfReference ?? null) : null;
}

/** Axial stacks with the slice at the labelled index disc; without labels the server's own guess stays. */
export const withIndexSlices = (stacks: readonly Stack[], index: string): readonly Stack[] =>
  stacks.map((stack) => {
    const disc = landmarks(stack, stacks, index).discs.find((one) => one.name === index);
    const planes = disc ? planesOf(stack) : [];
    const like = planes[Math.floor(planes.length / 2)];
    if (!disc || !like || stack.plane !== 'axial') return stack;
    return { ...stack, index_slice: nearestSlice(planes, disc.point, like) };
  });

export class Navigate {
  readonly #ground: Ground;

  constructor(ground: Ground) {
    this.#ground = ground;
  }

  /** The blocks a view's stack comes in, with the names of their discs. */
  settle(view: View, stack: Stack): void {
    const { discs } = landmarks(stack, this.#ground.wall.case.stacks, this.#ground.index());
    view.blocks = blocksOf(planesOf(stack), discs);
  }

  /** Another slice is in a view: lines that come from it stand elsewhere now. */
  moved(view: View): void {
    if (view === this.#ground.wall.active || this.#ground.crossed()) this.reference();
  }

  /** The active slice, or every view's slice, as a line in the views that cross it. */
  reference(): void {
    const active = this.#ground.wall.active;
    const views = this.#ground.wall.views;
    const sources = this.#ground.crossed() ? views : views.filter((view) => view === active);
    for (const view of views) {
      const others = sources.filter((source) => source !== view && source.honest);
      // One line for a slice that stands in two views.
      const planes = new Map(others.map((source) => [`${source.stack?.id} ${source.shown}`, source.plane]));
      view.references = [...planes.values()].flatMap((plane) => plane ?? []);
      view.refresh();
    }
  }

  locate(view: View | null, spot: Spot): void {
    const point = view?.honest ? view.toPatient(spot) : null;
    const plane = view?.plane;
    if (!view || !point || !plane) return;
    for (const other of this.#ground.wall.views) {
      const index = other === view ? null : nearestSlice(other.planes, point, plane);
      other.located = other === view || index !== null ? point : null;
      if (index !== null) other.goTo(index);
      other.refresh();
    }
  }

  jump(jump: Jump): void {
    let said = false;
    for (const view of this.#ground.wall.views) {
      if (!view.stack) continue;
      const known = landmarks(view.stack, this.#ground.wall.case.stacks, this.#ground.index());
      const goal = goalOf(jump, view.stack, view.planes, known);
      if (goal.index !== null) view.goTo(goal.index);
      if (goal.note !== '') view.hint(goal.note);
      said ||= goal.index !== null || goal.note !== '';
    }
    const wanted = jump.kind === 'lateral' ? 'sagittal' : 'axial';
    if (!said) this.#ground.wall.active?.hint(`${jump.title}: this layout has no ${wanted} view`);
  }

  /** The next or the previous block of the active view, or of the one view that has blocks. */
  block(by: 1 | -1): void {
    const active = this.#ground.wall.active;
    const view = [active, ...this.#ground.wall.views].find((one) => (one?.blocks.length ?? 0) > 0);
    if (!view) {
      active?.hint('This series is one block');
      return;
    }
    const next = view.blocks[blockAt(view.blocks, view.wanted) + by];
    if (next) this.#ground.go(view, startIn(next, view.stack));
  }
}

/** The slice at the index disc where it lies in the block, else the middle one. */
function startIn(
  block: { readonly first: number; readonly last: number; readonly disc: string },
  stack: Stack | null,
): number {
  const index = stack?.index_slice ?? -1;
  return block.first <= index && index <= block.last ? index : middleOf(block);
}
