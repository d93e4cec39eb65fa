/** An evidence slice seen again: its stack in a fitting view, its slice, and then its window and part. */
import type { CellEvidence, Stack } from '../wire.ts';
import type { View } from './view.ts';
import type { Wall } from './wall.ts';

export class Recall {
  readonly #wall: Wall;
  readonly #go: (view: View, index: number) => void;
  /** What is to be seen again once its slice is on the screen. */
  #seen: { readonly view: View; readonly evidence: CellEvidence } | null = null;

  constructor(wall: Wall, go: (view: View, index: number) => void) {
    this.#wall = wall;
    this.#go = go;
  }

  /** In the view that shows the series, else in the active one; computed planes keep their place. */
  jump(seen: CellEvidence): void {
    const wall = this.#wall;
    const stack = wall.case.stacks.find(({ frames }) => frames.some((frame) => frame.uid === seen.uid));
    if (!stack) return;
    const index = stack.frames.findIndex((frame) => frame.uid === seen.uid);
    const full = wall.isFull;
    if (full) wall.full(false);
    if (!this.#target(stack)) wall.plain();
    const target = this.#target(stack);
    const view = target && target.stack !== stack ? wall.put(target, stack, index) : target;
    if (!view) return;
    wall.activate(view);
    if (full) wall.full(true);
    this.#seen = { view, evidence: seen };
    this.#go(view, index);
    this.shown(view);
  }

  #target(stack: Stack): View | undefined {
    const active = this.#wall.active;
    const order = [...(active ? [active] : []), ...this.#wall.views];
    return order.find((view) => view.stack === stack) ?? order.find((view) => !view.plan.reformat);
  }

  /** The slice that was asked for is on the screen: its window and part follow. */
  shown(view: View): void {
    const seen = this.#seen;
    if (seen?.view !== view || !view.honest) return;
    this.#seen = null;
    if (view.stack?.frames[view.shown]?.uid === seen.evidence.uid) view.lookAs(seen.evidence);
  }
}
