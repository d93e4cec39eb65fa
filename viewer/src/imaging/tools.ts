/** What is done on the pictures: the tool in the hand, points, marks, magnifier, mouse buttons and the keys instead. */
import { marksOf } from '../evidence.ts';
import type { Tool } from '../keys.ts';
import type { Evidence, ImageMark, Points, Work } from '../wire.ts';
import { ByKeys } from './bykeys.ts';
import { Drags } from './drags.ts';
import { Lens } from './lens.ts';
import { kindOf } from './marks/kinds.ts';
import { type MarkHandle, Marks } from './marks/marks.ts';
import type { Navigate } from './navigate.ts';
import type { Spot } from './overlay.ts';
import { Pointer } from './pointer.ts';
import { type Handle, ThreePoints } from './points.ts';
import type { View } from './view.ts';
import type { Wall } from './wall.ts';

export interface ToolEvents {
  /** Three points are set, or one of them was moved. */
  points(cell: string, points: Points): void;
  /** A mark was drawn, moved or removed. */
  marks(marks: readonly ImageMark[]): void;
  scroll(by: number): void;
  /** Another tool, or the magnifier on or off. */
  changed(): void;
}

/** Which work each mouse button does while no tool is chosen. */
export interface Buttons {
  readonly left: Work;
  readonly middle: Work;
  readonly right: Work;
}

const USUAL: Buttons = { left: 'window', middle: 'pan', right: 'zoom' };

export class Tools {
  chosen: Tool = 'window';
  #habit: Buttons = USUAL;
  readonly #host: HTMLElement;
  readonly #wall: Wall;
  readonly #navigate: Navigate;
  readonly #events: ToolEvents;
  readonly #points: ThreePoints;
  readonly #marks: Marks;
  readonly #lens = new Lens();
  /** What the mouse does, done with the keys. */
  readonly keys: ByKeys;

  constructor(host: HTMLElement, wall: Wall, navigate: Navigate, events: ToolEvents) {
    this.#host = host;
    this.#wall = wall;
    this.#navigate = navigate;
    this.#events = events;
    this.#points = new ThreePoints(() => wall.views, {
      set: (cell, points) => events.points(cell, points),
      done: () => this.use(this.atRest),
    });
    this.#marks = new Marks(() => wall.views, {
      changed: (marks) => events.marks(marks),
      done: () => this.use(this.atRest),
    });
    this.keys = new ByKeys(host, {
      tool: () => this.chosen,
      active: () => wall.active,
      work: () => this.#work(0),
      rest: () => {
        if (this.chosen !== this.atRest) this.use(this.atRest);
      },
      locate: (view, spot) => navigate.locate(view, spot),
      place: (view, spot) => this.#place(view, spot),
      hover: (view, spot) => this.#marks.hover(view, spot),
      drag: (view, at, spot, done) => this.#drag(view, at, spot, done),
    });
    this.#listen();
  }

  #listen(): void {
    const wall = this.#wall;
    new Pointer(this.#host, {
      activate: (element) => {
        this.letGo();
        wall.activate(wall.of(element));
      },
      wheel: (element, by) => {
        wall.activate(wall.of(element));
        this.#events.scroll(by);
      },
      full: (element) => {
        wall.activate(wall.of(element));
        wall.full();
      },
      locate: (element, spot) => this.#navigate.locate(wall.of(element), spot),
      place: (element, spot) => this.#place(wall.of(element), spot),
      drag: (element, at, spot, done) => this.#drag(wall.of(element), at, spot, done),
      pressed: () => this.#marks.release(),
      hover: (element, spot) => {
        this.#lens.over(wall.of(element), spot);
        this.#marks.hover(wall.of(element), spot);
      },
      pointing: () => this.chosen === 'cross',
      scrolling: () => this.chosen === 'scroll',
      placing: () => this.chosen === 'slip' || kindOf(this.chosen) !== null,
      stretching: () => kindOf(this.chosen) !== null,
    });
    new Drags(this.#host, {
      work: (button) => this.#work(button),
      drag: (element, work, right, down, from) => wall.of(element)?.drag(work, right, down, from),
    });
  }

  #drag(view: View | null, at: Handle | MarkHandle, spot: Spot, done: boolean): void {
    if ('mark' in at) this.#marks.drag(view, at, spot, done);
    else this.#points.drag(view, at, spot, done);
  }

  #place(view: View | null, spot: Spot): void {
    if (this.chosen === 'slip') this.#points.place(view, spot);
    else this.#marks.place(view, spot);
    this.prompt();
  }

  // The tool in the hand --------------------------------------------------------------------------------------------

  /** What a held button does; the left one is the chosen tool's. */
  #work(button: number): Work | null {
    if (button === 1) return this.#habit.middle;
    if (button === 2) return this.#habit.right;
    return button === 0 && isWork(this.chosen) ? this.chosen : null;
  }

  /** What the left button does while no tool is chosen. */
  get atRest(): Tool {
    return this.#habit.left;
  }

  /** Another mouse habit, at once. */
  habit(buttons: Buttons): void {
    const resting = this.chosen === this.atRest;
    this.#habit = buttons;
    this.use(resting ? this.atRest : this.chosen);
  }

  use(tool: Tool): void {
    this.chosen = tool;
    if (tool !== 'slip') this.#points.abandon();
    this.#marks.use(kindOf(tool));
    this.#host.dataset.tool = tool;
    this.keys.chosen();
    this.prompt();
    this.#navigate.reference();
    this.#events.changed();
  }

  /** The magnifier's key went down; let go of after a while it ends it, after a tap the next press does. */
  lens(): void {
    this.#lens.press();
    this.#events.changed();
  }

  lensUp(): void {
    if (this.#lens.release()) this.#events.changed();
  }

  get magnifies(): boolean {
    return this.#lens.on;
  }

  /** Leave what is begun: points half set, a mark, then the magnifier, then the tool; false when there was nothing. */
  escape(): boolean {
    if (this.keys.putBack()) return true;
    if (this.#points.abandon() || this.#marks.abandon()) this.prompt();
    else if (this.#lens.on) {
      this.#lens.off();
      this.#events.changed();
    } else if (this.chosen !== this.atRest) this.use(this.atRest);
    else return false;
    return true;
  }

  /** A point carried by the keys goes back where it was; without one the keys' cursor leaves the picture. */
  letGo(): void {
    if (!this.keys.putBack()) this.keys.end();
  }

  // Points and marks ------------------------------------------------------------------------------------------------

  /** Which cell the next three points belong to, and the points already set. */
  evidence(slipCell: string | null, evidence: Evidence): void {
    // Undone, or another version: what is carried may have another number there, or be gone.
    this.keys.putBack();
    this.#points.belong(slipCell, evidence);
    this.#marks.belong(marksOf(evidence));
  }

  /** A mark is chosen, so that the key that removes goes to it. */
  get marked(): boolean {
    return this.#marks.selected;
  }

  removeMark(): void {
    this.keys.putBack();
    this.#marks.remove();
  }

  /** The sheet is worked on: no mark is chosen any more. */
  release(): void {
    this.#marks.release();
  }

  /** Of another case: no points, no marks. */
  clear(): void {
    this.#points.clear();
    this.#marks.clear();
  }

  // What the views tell ---------------------------------------------------------------------------------------------

  /** A view hangs: what belongs on its images is put on it. */
  dress(view: View): void {
    this.#points.dress(view);
    this.#marks.dress(view);
  }

  /** Another slice is in a view: what was carried on the last one stays there. */
  left(view: View): void {
    this.keys.left(view);
  }

  shown(view: View): void {
    this.#points.dress(view);
    this.prompt();
  }

  refreshed(view: View): void {
    this.#marks.draw(view);
    this.#lens.refresh(view);
    this.keys.refreshed(view);
  }

  /** What is to be done next, said in the active view. */
  prompt(): void {
    const { views, active } = this.#wall;
    if (kindOf(this.chosen) === null) this.#points.prompt(this.chosen === 'slip' ? active : null);
    else for (const view of views) view.overlay.prompt(view === active ? this.#marks.prompt(view) : '');
  }
}

const isWork = (tool: Tool): tool is Tool & Work => ['window', 'zoom', 'pan', 'scroll'].includes(tool);
