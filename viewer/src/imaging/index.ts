/** The pictures behind a few verbs. The only folder that imports the toolkit. */
import { annotation, LengthTool } from '@cornerstonejs/tools';
import { linkedIndex, nearestSlice, outwards, planeName } from '../geometry.ts';
import type { Tool } from '../keys.ts';
import type { Evidence, Layout, LayoutView, Points, Sheet, Stack, Vec3 } from '../wire.ts';
import { POINT_NAMES, type Spot } from './overlay.ts';
import { Pointer } from './pointer.ts';
import { bindTool, type Failure, imageIdOf, Loader, startToolkit } from './toolkit.ts';
import { type Mark, type Memory, startIndex, View } from './view.ts';

export type { Failure } from './toolkit.ts';

const ROLE_TITLES: Readonly<Record<string, string>> = {
  SAG_T2: 'Sagittal T2',
  SAG_T1: 'Sagittal T1',
  SAG_STIR: 'Sagittal STIR',
  AX_T2: 'Axial T2',
  AX_T1: 'Axial T1',
  COR: 'Coronal',
  LOC: 'Localiser',
  CT_PRE: 'CT before contrast',
  CT_POST: 'CT after contrast',
  CT_NEEDLE: 'CT with needle',
  CT_SCOUT: 'CT scout',
  OTHER: 'Other series',
};

const POINT_PROMPTS = [
  'P: upper back corner of the vertebra below',
  'A: upper front corner of the vertebra below',
  'Q: lower back corner of the slipped vertebra',
] as const;

export interface Place {
  readonly layout: string;
  readonly indices: Readonly<Record<string, number>>;
}

export interface ImagesEvents {
  /** Three points are set, or one of them was moved. */
  points(cell: string, points: Points): void;
  progress(loaded: number, of: number, failures: readonly Failure[]): void;
  /** All own frames are in memory. */
  complete(): void;
  /** Every view of the layout shows something, or says why not. */
  settled(): void;
  /** Tool, layout, link or active view changed. */
  changed(): void;
}

export class Images {
  readonly host: HTMLElement;
  tool: Tool = 'window';
  linked = true;
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
  #marks: readonly Mark[] = [];
  #slipCell: string | null = null;
  #pending: { readonly uid: string; readonly points: readonly Vec3[] } | null = null;
  #serial = 0;
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
      locate: (element, spot) => this.#locate(this.#of(element), spot),
      place: (element, spot) => this.#place(this.#of(element), spot),
      drag: (element, cell, point, spot, done) => this.#drag(this.#of(element), cell, point, spot, done),
      placing: () => this.tool === 'slip',
    });
    let frame = 0;
    new ResizeObserver(() => {
      cancelAnimationFrame(frame);
      frame = requestAnimationFrame(() => this.#resize());
    }).observe(host);
    bindTool('window');
  }

  /** Show a case. `place` brings back the layout and slices of an interrupted reading. */
  show(sheet: Sheet, stacks: readonly Stack[], synthetic: boolean, place: Place | null): void {
    this.#sheet = sheet;
    this.#stacks = stacks;
    this.#synthetic = synthetic;
    this.#memory = new Map();
    this.#chosen = new Map();
    this.#slipCell = null;
    this.#pending = null;
    for (const [id, index] of Object.entries(place?.indices ?? {})) this.#remembered(id).index = index;
    this.setTool('window');
    const first = sheet.layouts.find((layout) => layout.code === place?.layout) ?? sheet.layouts[0];
    // Metadata must be known before a view asks for its first frame.
    this.#loader.open(stacks, first ? this.#order(first) : []);
    this.#loader.dropAhead();
    if (first) this.layout(first.code);
  }

  /** The same case under new addresses (the old ones ran out): keep slices, layout, windows, points. */
  readdress(stacks: readonly Stack[]): void {
    const code = this.layoutCode;
    this.#clear();
    this.#loader.close();
    this.#stacks = stacks;
    const layout = this.#sheet.layouts.find((l) => l.code === code);
    this.#loader.open(stacks, layout ? this.#order(layout) : []);
    this.layout(code);
  }

  prefetch(stacks: readonly Stack[]): void {
    this.#loader.prefetch(stacks);
  }

  close(): void {
    this.#clear();
    annotation.state.removeAllAnnotations();
    this.#loader.close();
    this.#stacks = [];
    this.#marks = [];
  }

  place(): Place {
    const indices: Record<string, number> = {};
    for (const [id, memory] of this.#memory) if (memory.index !== undefined) indices[id] = memory.index;
    return { layout: this.layoutCode, indices };
  }

  get layouts(): readonly Layout[] {
    return this.#sheet.layouts;
  }

  layout(code: string): void {
    const layout = this.#sheet.layouts.find((l) => l.code === code);
    if (!layout) return;
    if (layout.code !== this.layoutCode) this.#chosen = new Map();
    this.#clear();
    this.layoutCode = layout.code;
    this.#settled = false;
    this.host.style.setProperty('--rows', String(layout.rows));
    this.host.style.setProperty('--columns', String(layout.columns));
    this.host.dataset.layout = layout.code;
    layout.views.forEach((plan, position) => {
      this.#add(plan, position);
    });
    this.#activate(this.#views.find((view) => view.stack) ?? this.#views[0] ?? null);
    this.#events.changed();
    this.#checkSettled();
  }

  nextLayout(): void {
    const codes = this.#sheet.layouts.map((layout) => layout.code);
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
    this.#events.changed();
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
      if (view.stack) view.goTo(startIndex(view.plan.start, view.stack.frames.length));
    }
  }

  preset(key: string): void {
    const preset = this.#sheet.presets.find((p) => p.key === key);
    if (preset) this.#active?.usePreset(preset);
  }

  invert(): void {
    this.#active?.invert();
  }

  reset(): void {
    this.#active?.reset();
  }

  link(): void {
    this.linked = !this.linked;
    const view = this.#active;
    if (this.linked && view) this.#go(view, view.wanted);
    this.#events.changed();
  }

  overlays(): void {
    this.host.classList.toggle('bare');
  }

  setTool(tool: Tool): void {
    this.tool = tool;
    if (tool !== 'slip') this.#pending = null;
    bindTool(tool);
    this.host.dataset.tool = tool;
    this.#prompt();
    this.#refreshPending();
    this.#events.changed();
  }

  /** Which cell the next three points belong to, and the points already set. */
  evidence(slipCell: string | null, evidence: Evidence): void {
    this.#slipCell = slipCell;
    this.#marks = Object.entries(evidence).map(([cell, points]) => ({ cell, points }));
    for (const view of this.#views) {
      view.marks = this.#marks;
      view.refresh();
    }
  }

  /** Leave what is begun: points half set, then the tool, then full size. False when there was nothing. */
  escape(): boolean {
    if (this.#pending) {
      this.#pending = null;
      this.#prompt();
      this.#refreshPending();
      return true;
    }
    if (this.tool !== 'window') {
      this.setTool('window');
      return true;
    }
    if (!this.host.querySelector('.view.full')) return false;
    this.full(false);
    return true;
  }

  get failures(): readonly Failure[] {
    return this.#loader.failures;
  }

  retry(): void {
    this.#loader.retry();
    for (const view of this.#views) view.again();
  }

  // ---------------------------------------------------------------------------------------------------------------

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
    const ids: string[] = [];
    const first = layout.views.flatMap((plan, position) => {
      const stack = this.#stackFor(plan, position);
      return stack ? [{ stack, start: startIndex(plan.start, stack.frames.length) }] : [];
    });
    const rest = this.#stacks
      .filter((stack) => first.every((f) => f.stack !== stack))
      .map((stack) => ({ stack, start: Math.floor(stack.frames.length / 2) }));
    for (const group of [first, rest]) {
      const lists = group.map(({ stack, start }) =>
        outwards(stack.frames.length, start).flatMap((index) => {
          const frame = stack.frames[index];
          return frame ? [imageIdOf(frame)] : [];
        }),
      );
      const longest = Math.max(0, ...lists.map((list) => list.length));
      for (let i = 0; i < longest; i += 1) for (const list of lists) if (list[i]) ids.push(list[i] as string);
    }
    return [...new Set(ids)];
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
      },
    );
    view.presets = this.#sheet.presets;
    view.marks = this.#marks;
    this.#views.push(view);
    const stack = this.#stackFor(plan, position);
    const title = plan.title ?? ROLE_TITLES[plan.role] ?? plan.role;
    fillPicker(view.overlay.title, this.#stacks, stack, title);
    if (stack) view.show(stack, this.#remembered(stack.id));
    else view.empty(plan.role, `No ${title} in this case`);
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
    this.#reference();
    this.#prompt();
  }

  /** The active slice as a line in every view that crosses it. */
  #reference(): void {
    const plane = this.#active?.honest ? this.#active.plane : null;
    for (const view of this.#views) {
      view.reference = view === this.#active ? null : plane;
      view.refresh();
    }
  }

  #go(view: View, index: number): void {
    view.goTo(index);
    if (!this.linked || !view.stack) return;
    const plane = view.planes[view.wanted];
    if (!plane) return;
    for (const other of this.#views) {
      if (other === view || !other.stack || !this.#grouped(view.stack.role, other.stack.role)) continue;
      const match = linkedIndex(plane, other.planes);
      if (match !== null) other.goTo(match);
    }
  }

  #grouped(a: string, b: string): boolean {
    return a === b || this.#sheet.linked.some((group) => group.includes(a) && group.includes(b));
  }

  #onShown(view: View): void {
    if (view === this.#active) this.#reference();
    if (this.#pending) this.#refreshPending();
    this.#prompt();
    this.#checkSettled();
  }

  #checkSettled(): void {
    if (this.#settled) return;
    if (
      this.#views.some(
        (view) => view.stack && !['ready', 'failed'].includes(view.element.dataset.state ?? ''),
      )
    )
      return;
    this.#settled = true;
    this.#events.settled();
  }

  #resize(): void {
    if (this.#views.length > 0 && this.host.clientWidth > 0) this.#engine.resize(true, true);
    for (const view of this.#views) view.refresh();
  }

  #locate(view: View | null, spot: Spot): void {
    const point = view?.honest ? view.toPatient(spot) : null;
    const plane = view?.plane;
    if (!view || !point || !plane) return;
    for (const other of this.#views) {
      const index = other === view ? null : nearestSlice(other.planes, point, plane);
      other.located = other === view || index !== null ? point : null;
      if (index !== null) other.goTo(index);
      other.refresh();
    }
  }

  // Three points --------------------------------------------------------------------------------------------------

  /** Why points cannot be set in a view, or null when they can. */
  #obstacle(view: View | null): string | null {
    if (!this.#slipCell) return 'This form asks for no slip.';
    if (!view?.stack) return 'Choose a view with a sagittal slice.';
    if (!view.honest) return 'Wait until the slice is shown.';
    if (!view.plane) return 'Position or scale is missing: the slip cannot be measured here.';
    return planeName(view.plane) === 'sagittal' ? null : 'The slip is measured on a sagittal slice.';
  }

  #prompt(): void {
    for (const view of this.#views) {
      const here = this.tool === 'slip' && view === this.#active;
      const step = this.#pending?.points.length ?? 0;
      view.overlay.prompt(
        here ? (this.#obstacle(view) ?? `${step + 1} of 3 · ${POINT_PROMPTS[step] ?? ''}`) : '',
      );
    }
  }

  #place(view: View | null, spot: Spot): void {
    if (!view || this.#obstacle(view)) return;
    const uid = view.stack?.frames[view.shown]?.uid;
    const point = view.toPatient(spot);
    if (!uid || !point || !this.#slipCell) return;
    const before = this.#pending?.uid === uid ? this.#pending.points : [];
    const points = [...before, point];
    if (points.length === POINT_NAMES.length) {
      this.#pending = null;
      this.#events.points(this.#slipCell, { uid, points_lps_mm: points });
      this.setTool('window');
      return;
    }
    this.#pending = { uid, points };
    this.#prompt();
    this.#refreshPending();
  }

  #refreshPending(): void {
    for (const view of this.#views) {
      const uid = view.stack?.frames[view.shown]?.uid;
      view.pending = this.#pending && this.#pending.uid === uid ? this.#pending.points : [];
      view.refresh();
    }
  }

  #drag(view: View | null, cell: string, index: number, spot: Spot, done: boolean): void {
    const mark = this.#marks.find((m) => m.cell === cell);
    const point = view?.honest ? view.toPatient(spot) : null;
    if (!mark || !point) return;
    const points: Points = {
      uid: mark.points.uid,
      points_lps_mm: mark.points.points_lps_mm.map((old, i) => (i === index ? point : old)),
    };
    if (done) {
      this.#events.points(cell, points);
      return;
    }
    this.#marks = this.#marks.map((m) => (m === mark ? { cell, points } : m));
    for (const other of this.#views) {
      other.marks = this.#marks;
      other.refresh();
    }
  }
}

/** Remove the lengths drawn in the active case; they are never stored. */
export function clearLengths(): void {
  for (const found of annotation.state.getAllAnnotations()) {
    if (found.metadata?.toolName === LengthTool.toolName && found.annotationUID) {
      annotation.state.removeAnnotation(found.annotationUID);
    }
  }
}

function fillPicker(
  picker: HTMLSelectElement,
  stacks: readonly Stack[],
  shown: Stack | undefined,
  title: string,
): void {
  picker.setAttribute('aria-label', 'Series in this view');
  const options = stacks.map((stack) => new Option(stack.title, stack.id, false, stack === shown));
  if (!shown) options.unshift(new Option(title, '', true, true));
  picker.replaceChildren(...options);
}
