/** The views that hang side by side: which layout, which series in each, which of them is active, who fills the room. */
import type { Layout, LayoutView, Sheet, Stack } from '../wire.ts';
import { loadOrder, offers, roleTitle } from './hanging.ts';
import type { Loader } from './loader.ts';
import { planesOf } from './navigate.ts';
import { isComputed, reformatted } from './reformat.ts';
import { type Memory, View } from './view.ts';

/** What is hung: a case as the form shows it. */
export interface Case {
  readonly sheet: Sheet;
  readonly stacks: readonly Stack[];
  readonly synthetic: boolean;
}

export interface Place {
  readonly layout: string;
  readonly indices: Readonly<Record<string, number>>;
}

export interface WallEvents {
  /** A view hangs; what is known to lie on its images is put on it. */
  dress(view: View): void;
  /** A view gets a series, or a plane computed from one. */
  hung(view: View, stack: Stack): void;
  /** Another slice is on the screen, or a view cannot show the one it should. */
  shown(view: View): void;
  refreshed(view: View): void;
  /** Another view is the active one. */
  activated(): void;
  /** The views that hang are about to go. */
  clearing(): void;
  /** The layout, or what of it fills the host. */
  changed(): void;
  retry(): void;
  /** The first view shows something, or every one says why not. */
  settled(): void;
}

/** A screen this much taller than wide stands upright. */
const UPRIGHT = 1.2;

export class Wall {
  readonly host: HTMLElement;
  layoutCode = '';
  views: readonly View[] = [];
  active: View | null = null;
  readonly #loader: Loader;
  readonly #events: WallEvents;
  #case: Case;
  #memory = new Map<string, Memory>();
  /** Series the reader chose, by the view's position in the layout. */
  #chosen = new Map<number, string>();
  #serial = 0;
  #frame = 0;
  #settled = false;

  constructor(host: HTMLElement, sheet: Sheet, loader: Loader, events: WallEvents) {
    this.host = host;
    this.#case = { sheet, stacks: [], synthetic: false };
    this.#loader = loader;
    this.#events = events;
    new ResizeObserver(() => this.resized()).observe(host);
  }

  get case(): Case {
    return this.#case;
  }

  /** Hang a case, as it was left where `place` tells it. */
  hang(shown: Case, place: Place | null): void {
    this.#memory = new Map();
    this.#chosen = new Map();
    for (const [id, index] of Object.entries(place?.indices ?? {})) this.#remembered(id).index = index;
    this.#open(shown, place?.layout ?? '');
  }

  /** The same case under other addresses: layout, slices and windows stay. */
  rehang(stacks: readonly Stack[]): void {
    this.#open({ ...this.#case, stacks }, this.layoutCode);
  }

  #open(shown: Case, code: string): void {
    this.#case = shown;
    const layout = this.layouts.find((one) => one.code === code) ?? shown.sheet.layouts[0];
    // Metadata must be known before a view asks for its first frame.
    this.#loader.open(shown.stacks, layout ? this.#order(layout) : []);
    this.#loader.dropAhead();
    if (layout) this.layout(layout.code);
  }

  /** Nothing hangs, and no image of the last case is known any more. */
  close(): void {
    this.clear();
    this.#case = { ...this.#case, stacks: [] };
  }

  clear(): void {
    this.#events.clearing();
    for (const view of this.views) view.destroy();
    this.views = [];
    this.active = null;
  }

  place(): Place {
    const indices: Record<string, number> = {};
    for (const [id, memory] of this.#memory) if (memory.index !== undefined) indices[id] = memory.index;
    return { layout: this.layoutCode, indices };
  }

  // Layouts -----------------------------------------------------------------------------------------------------

  /** What this case can be shown in. */
  get layouts(): readonly Layout[] {
    const { sheet, stacks } = this.#case;
    return offers(sheet, stacks).flatMap(({ layout, obstacle }) => (obstacle ? [] : [layout]));
  }

  layout(code: string): void {
    const layout = this.layouts.find((one) => one.code === code);
    if (!layout) return;
    if (layout.code !== this.layoutCode) this.#chosen = new Map();
    this.clear();
    this.layoutCode = layout.code;
    this.#settled = false;
    this.#arrange(layout);
    this.host.dataset.layout = layout.code;
    for (const [position, plan] of layout.views.entries()) this.#add(plan, position);
    // All of them stand before the first is filled: the page is laid out once.
    for (const [position, view] of this.views.entries()) this.#fill(view, position);
    this.activate(this.views.find((view) => view.stack) ?? this.views[0] ?? null);
    this.#events.changed();
    this.#checkSettled();
  }

  /** The plain layout of the form; its views show stored slices. */
  plain(): void {
    const [first] = this.#case.sheet.layouts;
    if (first) this.layout(first.code);
  }

  nextLayout(): void {
    const codes = this.layouts.map((layout) => layout.code);
    const next = codes[(codes.indexOf(this.layoutCode) + 1) % codes.length];
    if (next !== undefined && next !== this.layoutCode) this.layout(next);
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

  #resize(): void {
    const layout = this.layouts.find((one) => one.code === this.layoutCode);
    if (layout) this.#arrange(layout);
    if (this.host.clientWidth > 0) for (const view of this.views) view.resize();
    for (const view of this.views) view.refresh();
  }

  // Views -------------------------------------------------------------------------------------------------------

  of(element: HTMLElement): View | null {
    return this.views.find((view) => view.element === element) ?? null;
  }

  activate(view: View | null): void {
    if (!view || view === this.active) return;
    this.active = view;
    for (const other of this.views) other.element.classList.toggle('active', other === view);
    this.#events.activated();
  }

  next(): void {
    const index = this.active ? this.views.indexOf(this.active) : -1;
    const next = this.views[(index + 1) % this.views.length] ?? null;
    const full = this.isFull;
    if (full) this.full(false);
    this.activate(next);
    if (full) this.full(true);
  }

  get isFull(): boolean {
    return this.host.querySelector('.view.full') !== null;
  }

  full(on?: boolean): void {
    const element = this.active?.element;
    if (!element) return;
    const want = on ?? !element.classList.contains('full');
    for (const view of this.views) view.element.classList.toggle('full', want && view === this.active);
    this.#resize();
    this.#events.changed();
  }

  /** A series at one of its slices in place of what a view shows; the layout hangs anew, the view with it. */
  put(view: View, stack: Stack, index: number): View | undefined {
    const position = this.views.indexOf(view);
    this.#remembered(stack.id).index = index;
    this.#pick(position, stack.id);
    return this.views[position];
  }

  #pick(position: number, id: string): void {
    this.#chosen.set(position, id);
    this.layout(this.layoutCode);
    this.activate(this.views[position] ?? null);
  }

  #remembered(id: string): Memory {
    const known = this.#memory.get(id);
    if (known) return known;
    const fresh: Memory = { windows: new Map(), inverted: false };
    this.#memory.set(id, fresh);
    return fresh;
  }

  #stackFor(plan: LayoutView, position: number): Stack | undefined {
    const { stacks } = this.#case;
    const chosen = this.#chosen.get(position);
    return stacks.find((one) => one.id === chosen) ?? stacks.find((one) => one.role === plan.role);
  }

  #order(layout: Layout): readonly string[] {
    const { stacks } = this.#case;
    return loadOrder(layout, stacks, (plan, position) => this.#stackFor(plan, position)).map(
      (frame) => frame.image,
    );
  }

  #add(plan: LayoutView, position: number): void {
    this.#serial += 1;
    const { sheet, stacks, synthetic } = this.#case;
    const id = `view-${this.#serial}`;
    const view = new View(this.host, id, plan, synthetic, this.#loader, {
      shown: (shown) => {
        this.#events.shown(shown);
        this.#checkSettled();
      },
      pick: (_view, chosen) => this.#pick(position, chosen),
      retry: () => this.#events.retry(),
      refreshed: (drawn) => this.#events.refreshed(drawn),
    });
    view.presets = sheet.presets;
    view.overlay.series(stacks, this.#stackFor(plan, position), roleTitle(plan));
    this.views = [...this.views, view];
  }

  #fill(view: View, position: number): void {
    const { plan } = view;
    const title = roleTitle(plan);
    this.#events.dress(view);
    const stack = this.#stackFor(plan, position);
    if (!stack) {
      view.empty(plan.role, `No ${title} in this case`);
      return;
    }
    const made = plan.reformat ? reformatted(stack, planesOf(stack), plan.reformat) : stack;
    if (typeof made === 'string') {
      view.empty(stack.role, `No ${plan.reformat} slices of ${stack.title}. ${made}`);
      return;
    }
    if (isComputed(made)) this.#loader.announce(made);
    this.#events.hung(view, made);
    view.show(made, this.#remembered(made.id));
  }

  #checkSettled(): void {
    const states = this.views.filter((view) => view.stack).map((view) => view.element.dataset.state);
    const settled = states.every((state) => state === 'ready' || state === 'failed');
    this.host.dataset.settled = String(settled);
    if (this.#settled || !(settled || states.includes('ready'))) return;
    this.#settled = true;
    this.#events.settled();
  }
}
