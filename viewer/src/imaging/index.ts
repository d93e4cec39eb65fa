/** The pictures behind a few verbs. */
import { marksOf } from '../evidence.ts';
import type { Tool } from '../keys.ts';
import type { CellEvidence, Evidence, Frame, ImageMark, Points, Sheet, Stack, Work } from '../wire.ts';
import { ByKeys } from './bykeys.ts';
import { Drags } from './drags.ts';
import { startIndex } from './hanging.ts';
import { Lens } from './lens.ts';
import { Link } from './link.ts';
import { type Failure, Loader } from './loader.ts';
import { kindOf } from './marks/kinds.ts';
import { type MarkHandle, Marks } from './marks/marks.ts';
import { Navigate, withIndexSlices } from './navigate.ts';
import type { Spot } from './overlay.ts';
import { Pointer } from './pointer.ts';
import { type Handle, ThreePoints } from './points.ts';
import { Recall } from './recall.ts';
import { isComputed } from './reformat.ts';
import type { View } from './view.ts';
import { type Case, type Place, sameCase, Wall } from './wall.ts';

export type { Failure } from './loader.ts';
export type { Place } from './wall.ts';

export interface ImagesEvents {
  /** Three points are set, or one of them was moved. */
  points(cell: string, points: Points): void;
  /** A mark was drawn, moved or removed. */
  marks(marks: readonly ImageMark[]): void;
  progress(loaded: number, of: number, failures: readonly Failure[]): void;
  /** All own frames are in memory. */
  complete(): void;
  /** The first view shows something, or every one says why not. */
  settled(): void;
  /** Tool, layout or link changed. */
  changed(tools: ToolState): void;
}

export interface ToolState {
  readonly layout: string;
  readonly tool: Tool;
  readonly linked: boolean;
  readonly offset: boolean;
  readonly lens: boolean;
}

/** Which work each mouse button does while no tool is chosen. */
export interface Buttons {
  readonly left: Work;
  readonly middle: Work;
  readonly right: Work;
}

const USUAL: Buttons = { left: 'window', middle: 'pan', right: 'zoom' };

export class Images {
  readonly host: HTMLElement;
  tool: Tool = 'window';
  #habit: Buttons = USUAL;
  readonly #link = new Link();
  readonly #events: ImagesEvents;
  readonly #loader: Loader;
  readonly #wall: Wall;
  readonly #points: ThreePoints;
  readonly #marks: Marks;
  readonly #navigate: Navigate;
  readonly #lens = new Lens();
  readonly #recall: Recall;
  /** What the mouse does, done with the keys. */
  readonly keys: ByKeys;
  #index = '';
  /** What would have been told of a case that hangs before it is the reader's; null while the reader's hangs. */
  #untold: (() => void)[] | null = null;

  constructor(host: HTMLElement, sheet: Sheet, events: ImagesEvents) {
    this.host = host;
    this.#events = events;
    this.#loader = new Loader({
      progress: (loaded, of, failures) => {
        host.dataset.loaded = String(loaded);
        host.dataset.complete = String(of > 0 && loaded === of);
        this.#tell(() => events.progress(loaded, of, failures));
      },
      complete: () => this.#tell(() => events.complete()),
      came: (id) => {
        for (const view of this.#wall.views) view.came(id);
      },
    });
    this.#wall = this.#hangingOn(host, sheet);
    const wall = this.#wall;
    const go = (view: View, index: number) => this.#go(view, index);
    this.#navigate = new Navigate({
      wall,
      go,
      index: () => this.#index,
      crossed: () => this.tool === 'cross' || wall.views.some((view) => isComputed(view.stack)),
    });
    this.#points = new ThreePoints(() => wall.views, {
      set: (cell, points) => events.points(cell, points),
      done: () => this.setTool(this.atRest),
    });
    this.#marks = new Marks(() => wall.views, {
      changed: (marks) => events.marks(marks),
      done: () => this.setTool(this.atRest),
    });
    this.#recall = new Recall(wall, go);
    this.keys = new ByKeys(host, {
      tool: () => this.tool,
      active: () => wall.active,
      work: () => this.#work(0),
      rest: () => {
        if (this.tool !== this.atRest) this.setTool(this.atRest);
      },
      locate: (view, spot) => this.#navigate.locate(view, spot),
      place: (view, spot) => this.#place(view, spot),
      hover: (view, spot) => this.#marks.hover(view, spot),
      drag: (view, at, spot, done) => this.#drag(view, at, spot, done),
    });
    this.#listen();
  }

  #hangingOn(host: HTMLElement, sheet: Sheet): Wall {
    return new Wall(host, sheet, this.#loader, {
      dress: (view) => {
        this.#points.dress(view);
        this.#marks.dress(view);
      },
      hung: (view, stack) => this.#navigate.settle(view, stack),
      shown: (view) => {
        this.keys.left(view);
        this.#navigate.moved(view);
        this.#points.dress(view);
        this.#recall.shown(view);
        this.#prompt();
      },
      refreshed: (view) => {
        this.#marks.draw(view);
        this.#lens.refresh(view);
        this.keys.refreshed(view);
      },
      activated: () => {
        this.#navigate.reference();
        this.#prompt();
      },
      clearing: () => {
        if (!this.keys.putBack()) this.keys.end();
      },
      changed: () => this.#changed(),
      retry: () => this.retry(),
      settled: () => this.#tell(() => this.#events.settled()),
    });
  }

  #listen(): void {
    const wall = this.#wall;
    new Pointer(this.host, {
      activate: (element) => {
        if (!this.keys.putBack()) this.keys.end();
        wall.activate(wall.of(element));
      },
      wheel: (element, by) => {
        wall.activate(wall.of(element));
        this.scroll(by);
      },
      full: (element) => {
        wall.activate(wall.of(element));
        this.full();
      },
      locate: (element, spot) => this.#navigate.locate(wall.of(element), spot),
      place: (element, spot) => this.#place(wall.of(element), spot),
      drag: (element, at, spot, done) => this.#drag(wall.of(element), at, spot, done),
      pressed: () => this.#marks.release(),
      hover: (element, spot) => {
        this.#lens.over(wall.of(element), spot);
        this.#marks.hover(wall.of(element), spot);
      },
      pointing: () => this.tool === 'cross',
      scrolling: () => this.tool === 'scroll',
      placing: () => this.tool === 'slip' || kindOf(this.tool) !== null,
      stretching: () => kindOf(this.tool) !== null,
    });
    new Drags(this.host, {
      work: (button) => this.#work(button),
      drag: (element, work, right, down, from) => wall.of(element)?.drag(work, right, down, from),
    });
  }

  #drag(view: View | null, at: Handle | MarkHandle, spot: Spot, done: boolean): void {
    if ('mark' in at) this.#marks.drag(view, at, spot, done);
    else this.#points.drag(view, at, spot, done);
  }

  /** What a held button does; the left one is the chosen tool's. */
  #work(button: number): Work | null {
    if (button === 1) return this.#habit.middle;
    if (button === 2) return this.#habit.right;
    return button === 0 && isWork(this.tool) ? this.tool : null;
  }

  /** Show a case. `place` brings back the layout and slices of an interrupted reading. */
  show(sheet: Sheet, given: readonly Stack[], synthetic: boolean, place: Place | null, index = ''): void {
    const asked = { sheet, stacks: withIndexSlices(given, index), synthetic };
    const untold = this.#untold;
    this.#untold = null;
    this.#index = index;
    if (untold && place === null && sameCase(asked, this.#wall.case)) {
      this.#changed();
      for (const tell of untold) tell();
      return;
    }
    if (untold) this.#takeDown();
    this.#hang(asked, place);
  }

  /**
   * Hang the case that will probably be next, behind the room's curtain, while the server is asked for it. Nothing is
   * told of it before `show` names the same case in every detail; any other case takes its place.
   */
  expect(given: readonly Stack[]): void {
    const { sheet, synthetic } = this.#wall.case;
    this.#untold = [];
    this.#hang({ sheet, stacks: withIndexSlices(given, this.#index), synthetic }, null);
  }

  #hang(shown: Case, place: Place | null): void {
    this.#points.clear();
    this.#marks.clear();
    this.#link.clear();
    this.setTool(this.atRest);
    this.#wall.hang(shown, place);
  }

  /** The same case under new addresses (the old ones ran out): keep slices, layout, windows, points. */
  readdress(given: readonly Stack[]): void {
    this.#takeDown();
    this.#wall.rehang(withIndexSlices(given, this.#index));
  }

  /** What a case shows first, before it is shown. */
  hasten(frames: readonly Frame[]): void {
    this.#loader.hasten(frames);
  }

  prefetch(stacks: readonly Stack[]): void {
    this.#loader.prefetch(stacks);
  }

  close(): void {
    this.#untold = null;
    this.#takeDown();
    this.#wall.close();
    this.#points.clear();
    this.#marks.clear();
  }

  #takeDown(): void {
    this.keys.end();
    this.#wall.clear();
    this.#loader.close();
  }

  place(): Place {
    return this.#wall.place();
  }

  layout(code: string): void {
    this.#wall.layout(code);
  }

  nextLayout(): void {
    this.#wall.nextLayout();
  }

  nextView(): void {
    this.#wall.next();
  }

  full(on?: boolean): void {
    this.#wall.full(on);
  }

  resized(): void {
    this.#wall.resized();
  }

  scroll(by: number): void {
    const view = this.#wall.active;
    if (view) this.#go(view, view.wanted + by);
  }

  edge(to: 'first' | 'last'): void {
    const view = this.#wall.active;
    if (view) this.#go(view, to === 'first' ? 0 : Number.MAX_SAFE_INTEGER);
  }

  /** Every view back to its start slice. */
  middle(): void {
    for (const view of this.#wall.views) {
      if (view.stack) view.goTo(startIndex(view.plan.start, view.stack));
    }
  }

  preset(key: string): void {
    const preset = this.#wall.case.sheet.presets.find((p) => p.key === key);
    if (preset) this.#wall.active?.usePreset(preset);
  }

  invert(): void {
    this.#wall.active?.invert();
  }

  /** The active view as at the start; marks stay. */
  reset(): void {
    this.#wall.active?.reset();
  }

  /** Linked scrolling on or off; with `offset` the slices stay as far apart as they are now. */
  link(offset: boolean): void {
    const view = this.#wall.active;
    if (offset) this.#link.holdApart(view, this.#wall.views);
    else this.#link.toggle();
    if (this.#link.on && view) this.#go(view, view.wanted);
    this.#changed();
  }

  /** One of the form's places, counted from 1 as its key. */
  jumpTo(number: number): void {
    const jump = this.#wall.case.sheet.jumps?.[number - 1];
    if (jump) this.#navigate.jump(jump);
  }

  block(by: 1 | -1): void {
    this.#navigate.block(by);
  }

  /** The magnifier's key went down; let go of after a while it ends it, after a tap the next press does. */
  lens(): void {
    this.#lens.press();
    this.#changed();
  }

  lensUp(): void {
    if (this.#lens.release()) this.#changed();
  }

  overlays(): void {
    this.host.classList.toggle('bare');
  }

  /** What the left button does while no tool is chosen. */
  get atRest(): Tool {
    return this.#habit.left;
  }

  /** Another mouse habit, at once. */
  habit(buttons: Buttons): void {
    const resting = this.tool === this.atRest;
    this.#habit = buttons;
    this.setTool(resting ? this.atRest : this.tool);
  }

  setTool(tool: Tool): void {
    this.tool = tool;
    if (tool !== 'slip') this.#points.abandon();
    this.#marks.use(kindOf(tool));
    this.host.dataset.tool = tool;
    this.keys.chosen();
    this.#prompt();
    this.#navigate.reference();
    this.#changed();
  }

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

  /** What the active view shows, to be kept as evidence; or a sentence why it cannot be. */
  look(): CellEvidence | string {
    if (isComputed(this.#wall.active?.stack)) return 'This plane is computed: keep a slice as it was stored.';
    return this.#wall.active?.look ?? 'The active view shows no slice that could be kept.';
  }

  /** Show a slice again as it was seen. */
  jump(seen: CellEvidence): void {
    this.#recall.jump(seen);
  }

  /** Leave what is begun: points half set, a mark, then the tool, then full size. */
  escape(): void {
    if (this.keys.putBack()) return;
    if (this.#points.abandon() || this.#marks.abandon()) this.#prompt();
    else if (this.#lens.on) {
      this.#lens.off();
      this.#changed();
    } else if (this.tool !== this.atRest) this.setTool(this.atRest);
    else this.full(false);
  }

  get failures(): readonly Failure[] {
    return this.#loader.failures;
  }

  retry(): void {
    this.#loader.retry();
    for (const view of this.#wall.views) view.again();
  }

  #tell(act: () => void): void {
    if (this.#untold) this.#untold.push(act);
    else act();
  }

  #changed(): void {
    const { on: linked, apart: offset } = this.#link;
    const tools = { layout: this.#wall.layoutCode, tool: this.tool, linked, offset, lens: this.#lens.on };
    if (!this.#untold) this.#events.changed(tools);
  }

  #prompt(): void {
    const { views, active } = this.#wall;
    if (kindOf(this.tool) === null) this.#points.prompt(this.tool === 'slip' ? active : null);
    else for (const view of views) view.overlay.prompt(view === active ? this.#marks.prompt(view) : '');
  }

  #place(view: View | null, spot: Spot): void {
    if (this.tool === 'slip') this.#points.place(view, spot);
    else this.#marks.place(view, spot);
    this.#prompt();
  }

  #go(view: View, index: number): void {
    view.goTo(index);
    const { sheet } = this.#wall.case;
    if (this.#link.on) this.#link.follow(view, () => this.#wall.views, sheet.linked);
  }
}

const isWork = (tool: Tool): tool is Tool & Work => ['window', 'zoom', 'pan', 'scroll'].includes(tool);
