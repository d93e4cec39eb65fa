/** The active picture worked on with the keys alone: places, points, zoom, and what the left button does. */
import type { Tool } from '../keys.ts';
import type { Work } from '../wire.ts';
import { Cursor } from './cursor.ts';
import { kindOf } from './marks/kinds.ts';
import type { MarkHandle } from './marks/marks.ts';
import type { Spot } from './overlay.ts';
import type { Handle } from './points.ts';
import type { View } from './view.ts';

export interface Doors {
  tool(): Tool;
  active(): View | null;
  /** What the left button does while it is held; null where the tool takes it. */
  work(): Work | null;
  /** No tool any more. */
  rest(): void;
  locate(view: View, spot: Spot): void;
  place(view: View, spot: Spot): void;
  hover(view: View, spot: Spot | null): void;
  drag(view: View | null, at: Handle | MarkHandle, spot: Spot, done: boolean): void;
}

/** So many presses zoom as far as a drag over the whole view. */
const ZOOM_STEPS = 30;

export class ByKeys {
  readonly #host: HTMLElement;
  readonly #doors: Doors;
  readonly #cursor: Cursor;

  constructor(host: HTMLElement, doors: Doors) {
    this.#host = host;
    this.#doors = doors;
    this.#cursor = new Cursor(host, {
      set: (view, spot) => {
        if (doors.tool() === 'cross') doors.locate(view, spot);
        else doors.place(view, spot);
        this.#cursor.tell(view.overlay.prompted);
      },
      hover: (view, spot) => doors.hover(view, spot),
      drag: (view, at, spot, done) => doors.drag(view, at, spot, done),
    });
  }

  /** The arrows move a place on the picture, not its slices: a tool sets points, or a set one is carried. */
  get pointing(): boolean {
    const tool = this.#doors.tool();
    return this.#cursor.carries || tool === 'slip' || tool === 'cross' || kindOf(tool) !== null;
  }

  move(right: number, down: number): void {
    this.#cursor.move(this.#doors.active(), right, down);
  }

  set(): void {
    this.#cursor.set();
  }

  /** Take the next point that is set on the active picture, to be moved. */
  take(by: 1 | -1): void {
    this.#doors.rest();
    this.#cursor.take(this.#doors.active(), by);
  }

  zoom(by: 1 | -1): void {
    const view = this.#doors.active();
    view?.drag('zoom', 0, (by * view.viewport.height) / ZOOM_STEPS, view.viewport.middle);
  }

  /** What the left button does while it is held and moved. */
  work(right: number, down: number): void {
    const [view, work] = [this.#doors.active(), this.#doors.work()];
    if (view && work && work !== 'scroll') view.drag(work, right, down, view.viewport.middle);
  }

  /** Another tool: the cursor stands ready where it sets points and the keys are at the images. */
  chosen(): void {
    if (!this.pointing) this.end();
    else if (this.#host.contains(this.#host.ownerDocument.activeElement)) {
      this.#cursor.begin(this.#doors.active());
    }
  }

  /** A view shows another slice. */
  left(view: View): void {
    this.#cursor.left(view);
  }

  /** A view was drawn anew. */
  refreshed(view: View): void {
    this.#cursor.refreshed(view);
  }

  /** A carried point goes back where it was; false when none is carried. */
  putBack(): boolean {
    return this.#cursor.putBack();
  }

  end(): void {
    this.#cursor.end();
  }
}
