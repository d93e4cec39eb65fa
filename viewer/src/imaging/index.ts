/** The pictures behind a few verbs. The only folder that imports the toolkit. */
import { marksOf } from '../evidence.ts';
import type { Tool } from '../keys.ts';
import type { CellEvidence, Evidence, ImageMark, Layout, LayoutView, Points, Sheet, Stack } from '../wire.ts';
import { announce, forgetComputed } from './computed.ts';
import { loadOrder, offers, roleTitle, startIndex } from './hanging.ts';
import { Lens } from './lens.ts';
import { Link } from './link.ts';
import { kindOf } from './marks/kinds.ts';
import { Marks } from './marks/marks.ts';
import { Navigate, planesOf, withIndexSlices } from './navigate.ts';
import type { Spot } from './overlay.ts';
import { Pointer } from './pointer.ts';
import { ThreePoints } from './points.ts';
import { Recall } from './recall.ts';
import { isComputed, type Reformat, reformatted } from './reformat.ts';
import { type Buttons, bindTool, type Failure, imageIdOf, Loader, startToolkit, USUAL } from './toolkit.ts';
import { type Memory, View } from './view.ts';

export { type Failure, startToolkit } from './toolkit.ts';

export interface Place {
  readonly layout: string;
  readonly indices: Readonly<Record<string, number>>;
}

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

/** A screen this much taller than wide stands upright. */
const UPRIGHT = 1.2;

export class Images {
  readonly host: HTMLElement;
  tool: Tool = 'window';
  #habit: Buttons = USUAL;
  readonly #link = new Link();
  layoutCode = '';
  readonly #events: ImagesEvents;
  readonly #engine = startToolkit();
  readonly #loader: Loader;
  #sheet: Sheet;
  #stacks: readonly Stack[] = [];
  #synthetic = false;
  #views: View[] = [];
  #active: View | null = null;
  #memory = new Map<string, Memory>();
  #chosen = new Map<number, string>();
  readonly #points: ThreePoints;
  readonly #marks: Marks;
  readonly #navigate: Navigate;
  readonly #lens = new Lens();
  #index = '';
  #serial = 0;
  #frame = 0;
  readonly #recall: Recall;
  #settled = false;

  constructor(host: HTMLElement, sheet: Sheet, events: ImagesEvents) {
    this.host = host;
    this.#sheet = sheet;
    this.#events = events;
    this.#loader = new Loader({
      progress: (loaded, of, failures) => {
        host.dataset.loaded = String(loaded);
        host.dataset.complete = String(of > 0 && loaded === of);
        events.progress(loaded, of, failures);
      },
      complete: () => events.complete(),
    });
    new Pointer(host, {
      activate: (element) => this.#activate(this.#of(element)),
      wheel: (element, by) => {
        this.#activate(this.#of(element));
        this.scroll(by);
      },
      full: (element) => {
        this.#activate(this.#of(element));
        this.full();
      },
      locate: (element, spot) => this.#navigate.locate(this.#of(element), spot),
      place: (element, spot) => this.#place(this.#of(element), spot),
      drag: (element, at, spot, done) => {
        if ('mark' in at) this.#marks.drag(this.#of(element), at, spot, done);
        else this.#points.drag(this.#of(element), at, spot, done);
      },
      pressed: () => this.#marks.release(),
      hover: (element, spot) => {
        this.#lens.over(this.#of(element), spot);
        this.#marks.hover(this.#of(element), spot);
      },
      pointing: () => this.tool === 'cross',
      scrolling: () => this.tool === 'scroll',
      placing: () => this.tool === 'slip' || kindOf(this.tool) !== null,
      stretching: () => kindOf(this.tool) !== null,
    });
    this.#navigate = new Navigate({
      views: () => this.#views,
      active: () => this.#active,
      stacks: () => this.#stacks,
      index: () => this.#index,
      go: (view, index) => this.#go(view, index),
      crossed: () => this.tool === 'cross' || this.#views.some((view) => isComputed(view.stack)),
    });
    this.#points = new ThreePoints(() => this.#views, {
      set: (cell, points) => events.points(cell, points),
      done: () => this.setTool(this.atRest),
    });
    this.#recall = new Recall({
      views: () => this.#views,
      active: () => this.#active,
      stacks: () => this.#stacks,
      put: (view, stack, index) => this.#put(view, stack, index),
      plainLayout: () => {
        const first = this.#sheet.layouts[0];
        if (first) this.layout(first.code);
      },
      activate: (view) => this.#activate(view),
      go: (view, index) => this.#go(view, index),
      isFull: () => this.host.querySelector('.view.full') !== null,
      full: (on) => this.full(on),
    });
    this.#marks = new Marks(() => this.#views, {
      changed: (marks) => events.marks(marks),
      done: () => this.setTool(this.atRest),
    });
    new ResizeObserver(() => this.resized()).observe(host);
    bindTool('window', this.#habit);
  }

  /** Show a case. `place` brings back the layout and slices of an interrupted reading. */
  show(sheet: Sheet, given: readonly Stack[], synthetic: boolean, place: Place | null, index = ''): void {
    const stacks = withIndexSlices(given, index);
    this.#sheet = sheet;
    this.#index = index;
    this.#stacks = stacks;
    this.#synthetic = synthetic;
    this.#memory = new Map();
    this.#chosen = new Map();
    this.#points.clear();
    this.#marks.clear();
    this.#link.clear();
    for (const [id, index] of Object.entries(place?.indices ?? {})) this.#remembered(id).index = index;
    this.setTool(this.atRest);
    const first = this.layouts.find((layout) => layout.code === place?.layout) ?? sheet.layouts[0];
    // Metadata must be known before a view asks for its first frame.
    this.#loader.open(stacks, first ? this.#order(first) : []);
    this.#loader.dropAhead();
    if (first) this.layout(first.code);
  }

  /** The same case under new addresses (the old ones ran out): keep slices, layout, windows, points. */
  readdress(given: readonly Stack[]): void {
    const stacks = withIndexSlices(given, this.#index);
    const code = this.layoutCode;
    this.#clear();
    forgetComputed();
    this.#loader.close();
    this.#stacks = stacks;
    const layout = this.layouts.find((l) => l.code === code);
    this.#loader.open(stacks, layout ? this.#order(layout) : []);
    this.layout(code);
  }

  prefetch(stacks: readonly Stack[]): void {
    this.#loader.prefetch(stacks);
  }

  close(): void {
    this.#clear();
    forgetComputed();
    this.#loader.close();
    this.#stacks = [];
    this.#points.clear();
    this.#marks.clear();
  }

  place(): Place {
    const indices: Record<string, number> = {};
    for (const [id, memory] of this.#memory) if (memory.index !== undefined) indices[id] = memory.index;
    return { layout: this.layoutCode, indices };
  }

  /** What this case can be shown in. */
  get layouts(): readonly Layout[] {
    return offers(this.#sheet, this.#stacks).flatMap(({ layout, obstacle }) => (obstacle ? [] : [layout]));
  }

  layout(code: string): void {
    const layout = this.layouts.find((l) => l.code === code);
    if (!layout) return;
    if (layout.code !== this.layoutCode) this.#chosen = new Map();
    this.#clear();
    this.layoutCode = layout.code;
    this.#settled = false;
    this.#arrange(layout);
    this.host.dataset.layout = layout.code;
    layout.views.forEach((plan, position) => {
      this.#add(plan, position);
    });
    this.#activate(this.#views.find((view) => view.stack) ?? this.#views[0] ?? null);
    this.#changed();
    this.#checkSettled();
  }

  /** Rows and columns; on an upright screen views beside one another stand below one another instead. */
  #arrange(layout: Layout): void {
    const { clientWidth, clientHeight } = this.host;
    const upright = clientHeight > clientWidth * UPRIGHT && layout.columns > layout.rows;
    const [rows, columns] = upright ? [layout.columns, layout.rows] : [layout.rows, layout.columns];
    this.host.style.setProperty('--rows', String(rows));
    this.host.style.setProperty('--columns', String(columns));
  }

  /** The images have another size: drawn anew with the next frame, once for many changes. */
  resized(): void {
    cancelAnimationFrame(this.#frame);
    this.#frame = requestAnimationFrame(() => this.#resize());
  }

  nextLayout(): void {
    const codes = this.layouts.map((layout) => layout.code);
    const next = codes[(codes.indexOf(this.layoutCode) + 1) % codes.length];
    if (next !== undefined && next !== this.layoutCode) this.layout(next);
  }

  nextView(): void {
    const index = this.#active ? this.#views.indexOf(this.#active) : -1;
    const next = this.#views[(index + 1) % this.#views.length] ?? null;
    const full = this.host.querySelector('.view.full') !== null;
    if (full) this.full(false);
    this.#activate(next);
    if (full) this.full(true);
  }

  full(on?: boolean): void {
    const element = this.#active?.element;
    if (!element) return;
    const want = on ?? !element.classList.contains('full');
    for (const view of this.#views) view.element.classList.toggle('full', want && view === this.#active);
    this.#resize();
    this.#changed();
  }

  scroll(by: number): void {
    const view = this.#active;
    if (view) this.#go(view, view.wanted + by);
  }

  edge(to: 'first' | 'last'): void {
    const view = this.#active;
    if (view) this.#go(view, to === 'first' ? 0 : Number.MAX_SAFE_INTEGER);
  }

  /** Every view back to its start slice. */
  middle(): void {
    for (const view of this.#views) {
      if (view.stack) view.goTo(startIndex(view.plan.start, view.stack));
    }
  }

  preset(key: string): void {
    const preset = this.#sheet.presets.find((p) => p.key === key);
    if (preset) this.#active?.usePreset(preset);
  }

  invert(): void {
    this.#active?.invert();
  }

  /** The active view as at the start; marks stay. */
  reset(): void {
    this.#active?.reset();
  }

  /** Linked scrolling on or off; with `offset` the slices stay as far apart as they are now. */
  link(offset: boolean): void {
    const view = this.#active;
    if (offset) this.#link.holdApart(view, this.#views);
    else this.#link.toggle();
    if (this.#link.on && view) this.#go(view, view.wanted);
    this.#changed();
  }

  /** One of the form's places, counted from 1 as its key. */
  jumpTo(number: number): void {
    const jump = this.#sheet.jumps?.[number - 1];
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
    bindTool(tool, this.#habit);
    this.host.dataset.tool = tool;
    this.#prompt();
    this.#navigate.reference();
    this.#changed();
  }

  /** Which cell the next three points belong to, and the points already set. */
  evidence(slipCell: string | null, evidence: Evidence): void {
    this.#points.belong(slipCell, evidence);
    this.#marks.belong(marksOf(evidence));
  }

  /** A mark is chosen, so that the key that removes goes to it. */
  get marked(): boolean {
    return this.#marks.selected;
  }

  removeMark(): void {
    this.#marks.remove();
  }

  /** The sheet is worked on: no mark is chosen any more. */
  release(): void {
    this.#marks.release();
  }

  /** What the active view shows, to be kept as evidence; or a sentence why it cannot be. */
  look(): CellEvidence | string {
    if (isComputed(this.#active?.stack)) return 'This plane is computed: keep a slice as it was stored.';
    return this.#active?.look ?? 'The active view shows no slice that could be kept.';
  }

  /** Show a slice again as it was seen. */
  jump(seen: CellEvidence): void {
    this.#recall.jump(seen);
  }

  /** Leave what is begun: points half set, a mark, then the tool, then full size. */
  escape(): void {
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
    for (const view of this.#views) view.again();
  }

  // ---------------------------------------------------------------------------------------------------------------

  #changed(): void {
    const { on: linked, apart: offset } = this.#link;
    this.#events.changed({ layout: this.layoutCode, tool: this.tool, linked, offset, lens: this.#lens.on });
  }

  #prompt(): void {
    if (kindOf(this.tool) === null) this.#points.prompt(this.tool === 'slip' ? this.#active : null);
    else
      for (const view of this.#views)
        view.overlay.prompt(view === this.#active ? this.#marks.prompt(view) : '');
  }

  #place(view: View | null, spot: Spot): void {
    if (this.tool === 'slip') this.#points.place(view, spot);
    else this.#marks.place(view, spot);
    this.#prompt();
  }

  #clear(): void {
    for (const view of this.#views) view.destroy();
    this.#views = [];
    this.#active = null;
  }

  #remembered(id: string): Memory {
    const known = this.#memory.get(id);
    if (known) return known;
    const fresh: Memory = { windows: new Map(), inverted: false };
    this.#memory.set(id, fresh);
    return fresh;
  }

  #stackFor(plan: LayoutView, position: number): Stack | undefined {
    const chosen = this.#chosen.get(position);
    return this.#stacks.find((s) => s.id === chosen) ?? this.#stacks.find((s) => s.role === plan.role);
  }

  #order(layout: Layout): readonly string[] {
    return loadOrder(layout, this.#stacks, (plan, position) => this.#stackFor(plan, position)).map(imageIdOf);
  }

  #add(plan: LayoutView, position: number): void {
    this.#serial += 1;
    const view = new View(
      this.host,
      `view-${this.#serial}`,
      plan,
      this.#synthetic,
      this.#engine,
      this.#loader,
      {
        shown: (shown) => this.#onShown(shown),
        pick: (_view, id) => this.#pick(position, id),
        retry: () => this.retry(),
        refreshed: (drawn) => {
          this.#marks.draw(drawn);
          this.#lens.refresh(drawn);
        },
      },
    );
    view.presets = this.#sheet.presets;
    this.#views.push(view);
    this.#points.dress(view);
    this.#marks.dress(view);
    const stack = this.#stackFor(plan, position);
    const title = roleTitle(plan);
    view.overlay.series(this.#stacks, stack, title);
    if (stack) this.#fill(view, stack, plan.reformat || null);
    else view.empty(plan.role, `No ${title} in this case`);
  }

  #fill(view: View, stack: Stack, reformat: Reformat | null): void {
    const made = reformat ? reformatted(stack, planesOf(stack), reformat) : stack;
    if (typeof made === 'string') {
      view.empty(stack.role, `No ${reformat} slices of ${stack.title}. ${made}`);
      return;
    }
    if (isComputed(made)) announce(made);
    this.#navigate.settle(view, made);
    view.show(made, this.#remembered(made.id));
  }

  #put(view: View, stack: Stack, index: number): View | undefined {
    const position = this.#views.indexOf(view);
    this.#remembered(stack.id).index = index;
    this.#pick(position, stack.id);
    return this.#views[position];
  }

  #pick(position: number, id: string): void {
    this.#chosen.set(position, id);
    this.layout(this.layoutCode);
    this.#activate(this.#views[position] ?? null);
  }

  #of(element: HTMLElement): View | null {
    return this.#views.find((view) => view.element === element) ?? null;
  }

  #activate(view: View | null): void {
    if (!view || view === this.#active) return;
    this.#active = view;
    for (const other of this.#views) other.element.classList.toggle('active', other === view);
    this.#navigate.reference();
    this.#prompt();
  }

  #go(view: View, index: number): void {
    view.goTo(index);
    if (!this.#link.on || !view.stack) return;
    const plane = view.planes[view.wanted];
    if (!plane) return;
    for (const other of this.#views) {
      if (other === view || !other.stack || !this.#grouped(view.stack.role, other.stack.role)) continue;
      const match = this.#link.match(view.stack, plane, other);
      if (match !== null) other.goTo(match);
    }
  }

  #grouped(a: string, b: string): boolean {
    return a === b || this.#sheet.linked.some((group) => group.includes(a) && group.includes(b));
  }

  #onShown(view: View): void {
    this.#navigate.moved(view);
    this.#points.dress(view);
    this.#recall.shown(view);
    this.#prompt();
    this.#checkSettled();
  }

  #checkSettled(): void {
    const states = this.#views.filter((view) => view.stack).map((view) => view.element.dataset.state);
    const settled = states.every((state) => state === 'ready' || state === 'failed');
    this.host.dataset.settled = String(settled);
    if (this.#settled || !(settled || states.includes('ready'))) return;
    this.#settled = true;
    this.#events.settled();
  }

  #resize(): void {
    const layout = this.layouts.find((one) => one.code === this.layoutCode);
    if (layout) this.#arrange(layout);
    if (this.#views.length > 0 && this.host.clientWidth > 0) {
      const fitted = this.#views.filter((view) => view.fitted);
      this.#engine.resize(true, true);
      for (const view of fitted) view.fit();
    }
    for (const view of this.#views) view.refresh();
  }
}
