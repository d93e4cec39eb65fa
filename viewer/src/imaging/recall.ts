/** An evidence slice seen again: its stack in a fitting view, its slice, and then its window and part. */
import type { CellEvidence, Stack } from '../wire.ts';
import type { View } from './view.ts';

export interface Stage {
  views(): readonly View[];
  active(): View | null;
  stacks(): readonly Stack[];
  /** Show another stack in a view, beginning at a slice; gives the view that took its place. */
  put(view: View, stack: Stack, index: number): View | undefined;
  /** The plain layout of the form; its views show stored slices. */
  plainLayout(): void;
  activate(view: View): void;
  go(view: View, index: number): void;
  isFull(): boolean;
  full(on: boolean): void;
}

export class Recall {
  readonly #stage: Stage;
  /** What is to be seen again once its slice is on the screen. */
  #seen: { readonly view: View; readonly evidence: CellEvidence } | null = null;

  constructor(stage: Stage) {
    this.#stage = stage;
  }

  /** In the view that shows the series, else in the active one; computed planes keep their place. */
  jump(seen: CellEvidence): void {
    const stage = this.#stage;
    const stack = stage.stacks().find(({ frames }) => frames.some((frame) => frame.uid === seen.uid));
    if (!stack) return;
    const index = stack.frames.findIndex((frame) => frame.uid === seen.uid);
    const full = stage.isFull();
    if (full) stage.full(false);
    if (!this.#target(stack)) stage.plainLayout();
    const target = this.#target(stack);
    const view = target && target.stack !== stack ? stage.put(target, stack, index) : target;
    if (!view) return;
    stage.activate(view);
    if (full) stage.full(true);
    this.#seen = { view, evidence: seen };
    stage.go(view, index);
    this.shown(view);
  }

  #target(stack: Stack): View | undefined {
    const active = this.#stage.active();
    const order = [...(active ? [active] : []), ...this.#stage.views()];
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
