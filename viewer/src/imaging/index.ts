/** The pictures behind a few verbs. */
import type { Tool } from '../keys.ts';
import type { CellEvidence, Frame, ImageMark, Points, Sheet, Stack } from '../wire.ts';
import { startIndex } from './hanging.ts';
import { Link } from './link.ts';
import { type Failure, Loader } from './loader.ts';
import { Navigate, planesOf, withIndexSlices } from './navigate.ts';
import { Recall } from './recall.ts';
import { isComputed } from './reformat.ts';
import { Tools } from './tools.ts';
import type { View } from './view.ts';
import { type Place, Wall } from './wall.ts';

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

export class Images {
  readonly host: HTMLElement;
  readonly #link = new Link();
  readonly #events: ImagesEvents;
  readonly #loader: Loader;
  readonly #wall: Wall;
  readonly #navigate: Navigate;
  readonly #recall: Recall;
  /** What is done on the pictures, by mouse and keys. */
  readonly tools: Tools;
  #index = '';
  /** What is to be told of a case that hangs behind the curtain; null while one is the reader's. */
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
      crossed: () => this.tools.chosen === 'cross' || wall.views.some((view) => isComputed(view.stack)),
    });
    this.tools = new Tools(host, wall, this.#navigate, {
      points: (cell, points) => events.points(cell, points),
      marks: (marks) => events.marks(marks),
      scroll: (by) => this.scroll(by),
      changed: () => this.#changed(),
    });
    this.#recall = new Recall(wall, go);
  }

  #hangingOn(host: HTMLElement, sheet: Sheet): Wall {
    return new Wall(host, sheet, this.#loader, {
      dress: (view) => this.tools.dress(view),
      hung: (view, stack) => this.#navigate.settle(view, stack),
      shown: (view) => {
        this.tools.left(view);
        this.#navigate.moved(view);
        this.tools.shown(view);
        this.#recall.shown(view);
      },
      refreshed: (view) => this.tools.refreshed(view),
      activated: () => {
        this.#navigate.reference();
        this.tools.prompt();
      },
      clearing: () => this.tools.letGo(),
      changed: () => this.#changed(),
      retry: () => this.retry(),
      settled: () => this.#tell(() => this.#events.settled()),
    });
  }

  /**
   * Hang a case behind the room's curtain: nothing is told of it before `reveal`. `place` brings back the layout and
   * slices of an interrupted reading.
   */
  hang(sheet: Sheet, given: readonly Stack[], synthetic: boolean, place: Place | null, index: string): void {
    this.#untold = [];
    this.#index = index;
    this.tools.clear();
    this.#link.clear();
    this.tools.use(this.tools.atRest);
    this.#wall.hang({ sheet, stacks: withIndexSlices(given, index), synthetic }, place);
  }

  /** What hangs is the reader's from now on. */
  reveal(): void {
    const untold = this.#untold ?? [];
    this.#untold = null;
    this.#changed();
    for (const tell of untold) tell();
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

  /** Fetch and decode what comes next, and find its planes, while nobody waits for them. */
  prefetch(stacks: readonly Stack[]): void {
    stacks.forEach(planesOf);
    this.#loader.prefetch(stacks);
  }

  close(): void {
    this.#untold = null;
    this.#takeDown();
    this.#wall.close();
    this.tools.clear();
  }

  #takeDown(): void {
    this.tools.keys.end();
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

  overlays(): void {
    this.host.classList.toggle('bare');
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

  /** Leave what is begun, then the tool, then full size. */
  escape(): void {
    if (!this.tools.escape()) this.full(false);
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
    const { chosen, magnifies } = this.tools;
    const tools = { layout: this.#wall.layoutCode, tool: chosen, linked, offset, lens: magnifies };
    if (!this.#untold) this.#events.changed(tools);
  }

  #go(view: View, index: number): void {
    view.goTo(index);
    const { sheet } = this.#wall.case;
    if (this.#link.on) this.#link.follow(view, () => this.#wall.views, sheet.linked);
  }
}
