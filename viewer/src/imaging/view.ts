/** One view: a viewport, what it should show, what it really shows, and the words around it. */
import { depth, type Plane, planeOf, positionText, scale, subtract } from '../geometry.ts';
import type { CellEvidence, LayoutView, Preset, Stack, Vec3, Work } from '../wire.ts';
import type { Block } from './blocks.ts';
import { blockText, drawingOf, elsewhere, type Mark, noteOf, type Scene, sliceText } from './captions.ts';
import { presetWindow, startIndex } from './hanging.ts';
import type { Picture } from './lens.ts';
import type { Loader } from './loader.ts';
import { Overlay, type Spot } from './overlay.ts';
import { rangeOf, type Slice, type Window } from './paint.ts';
import { ReadOut, type Shown } from './readout.ts';
import { isComputed } from './reformat.ts';
import { bar, pixelMap, sideLetters } from './screen.ts';
import { Seek } from './seek.ts';
import { Viewport } from './viewport.ts';

/** Dragging over so many points changes the window by all values of the slice. */
const WINDOW_PX = 1024;
/** Dragging over a fifth of the view's height doubles or halves, about. */
const ZOOM_PART = 5;
const MOST_ZOOM_STEP = 0.5;

/** What a view remembers of a stack while the layout changes. */
export interface Memory {
  index?: number;
  readonly windows: Map<string, Window>;
  inverted: boolean;
}

export interface ViewEvents {
  /** Another slice is on the screen, or the view cannot show the one it should. */
  shown(view: View): void;
  pick(view: View, role: string): void;
  retry(): void;
  /** Words and lines were drawn anew: whatever else stands over the picture follows. */
  refreshed(view: View): void;
}

export class View {
  readonly id: string;
  readonly element: HTMLElement;
  readonly plan: LayoutView;
  readonly overlay: Overlay;
  readonly viewport: Viewport;
  stack: Stack | null = null;
  planes: readonly (Plane | null)[] = [];
  wanted = 0;
  shown = -1;
  /** Slices of other views, drawn as lines where they cross this one. */
  references: readonly Plane[] = [];
  blocks: readonly Block[] = [];
  located: Vec3 | null = null;
  marks: readonly Mark[] = [];
  pending: readonly Vec3[] = [];
  /** The images that carry marks, by uid. */
  drawnOn: ReadonlySet<string> = new Set();
  readonly #events: ViewEvents;
  #memory: Memory = { windows: new Map(), inverted: false };
  #mounted = false;
  #gone = false;
  #presetKey: string;
  readonly #seek: Seek;
  #hintAt = -1;
  #stale = false;
  readonly #readOut: ReadOut;

  constructor(
    host: HTMLElement,
    id: string,
    plan: LayoutView,
    synthetic: boolean,
    loader: Loader,
    events: ViewEvents,
  ) {
    this.id = id;
    this.plan = plan;
    this.#events = events;
    this.#presetKey = plan.preset;
    this.element = document.createElement('div');
    this.element.className = 'view';
    this.element.setAttribute('role', 'group');
    const pixels = document.createElement('div');
    pixels.className = 'pixels';
    this.element.append(pixels);
    this.viewport = new Viewport(pixels);
    this.overlay = new Overlay(this.element, synthetic, () => events.retry());
    this.overlay.title.addEventListener('change', () => events.pick(this, this.overlay.title.value));
    host.append(this.element);
    this.#seek = new Seek({
      wanted: () => this.#address(this.wanted),
      there: () => this.#mounted && this.shown === this.wanted && this.element.dataset.state === 'ready',
      slice: (address) => loader.slice(address),
      load: (address) => loader.load(address, true),
      display: (slice) => this.#display(slice),
      fail: () => this.#fail(this.wanted),
      waiting: () => this.#sayWaiting(),
    });
    this.#readOut = new ReadOut(
      this.element,
      () => this.#readable(),
      (text) => this.overlay.value(text),
    );
    this.#state('empty');
  }

  get plane(): Plane | null {
    return this.planes[this.shown] ?? null;
  }

  /** The slice on the screen is the slice that was asked for. */
  get honest(): boolean {
    return this.stack !== null && this.shown === this.wanted && this.element.dataset.state === 'ready';
  }

  show(stack: Stack, memory: Memory): void {
    this.stack = stack;
    this.#memory = memory;
    this.planes = stack.frames.map((frame) => planeOf(frame.metadata));
    this.#mounted = false;
    this.shown = -1;
    this.#seek.stop();
    this.element.dataset.role = stack.role;
    this.element.dataset.stack = stack.id;
    this.element.dataset.slices = String(stack.frames.length);
    this.element.setAttribute('aria-label', stack.title);
    const missing = this.planes.some((plane) => plane === null);
    this.element.dataset.geometry = missing ? 'missing' : 'complete';
    this.goTo(memory.index ?? startIndex(this.plan.start, stack));
  }

  empty(role: string, sentence: string): void {
    this.element.dataset.role = role;
    this.element.dataset.slices = '0';
    this.element.setAttribute('aria-label', sentence);
    this.overlay.cover(sentence, false, true);
    this.#state('empty');
  }

  goTo(index: number): void {
    if (!this.stack) return;
    this.wanted = Math.min(this.stack.frames.length - 1, Math.max(0, index));
    if (this.wanted !== this.#hintAt) this.overlay.hint('');
    this.#memory.index = this.wanted;
    this.#seek.go();
  }

  #address(index: number): string {
    return this.stack?.frames[index]?.image ?? '';
  }

  #display(slice: Slice): void {
    const { stack, wanted: index } = this;
    if (!stack) return;
    const first = !this.#mounted;
    this.#mounted = true;
    this.viewport.show(slice, stack.frames[index]?.metadata ?? {});
    if (first) {
      this.#window = this.#memory.windows.get(this.#presetKey) ?? this.#preset({ kind: 'plan' });
      this.#applyInvert();
    }
    this.viewport.render();
    this.shown = index;
    this.overlay.uncover();
    this.#state('ready');
    this.#stale = true;
    this.#events.shown(this);
    if (this.#stale) this.refresh();
  }

  #fail(index: number): void {
    this.shown = -1;
    this.viewport.clear();
    this.#state('failed');
    const name = this.stack?.title ?? '';
    this.overlay.cover(`Slice ${index + 1} of ${name} did not load. Nothing is shown in its place.`, true);
    this.refresh();
    this.#events.shown(this);
  }

  #sayWaiting(): void {
    this.#state('loading');
    if (!this.#mounted) this.overlay.cover('Loading images', false, true);
    this.refresh();
  }

  #state(state: 'empty' | 'loading' | 'ready' | 'failed'): void {
    this.element.dataset.state = state;
  }

  /** Ask again for the wanted slice after a failure. */
  again(): void {
    if (this.element.dataset.state === 'failed') this.#seek.go();
  }

  /** A frame is in memory: a view that had given it up shows it, or what is computed from it. */
  came(image: string): void {
    const { stack } = this;
    const needs = isComputed(stack) ? stack.source.frames.some((frame) => frame.image === image) : false;
    if (needs || image === this.#address(this.wanted)) this.again();
  }

  // Window, zoom ------------------------------------------------------------------------------------------------

  usePreset(preset: Preset): void {
    if (!this.#mounted) return;
    this.#window = this.#preset(preset);
    this.#redraw();
  }

  presets: readonly Preset[] = [];

  #preset(preset: Preset | { readonly kind: 'plan' }): Window | null {
    const chosen = preset.kind === 'plan' ? this.presets.find((p) => p.key === this.plan.preset) : preset;
    return presetWindow(chosen, this.stack);
  }

  get #window(): Window {
    return this.viewport.window;
  }

  /** Null stands for all values of the slice. */
  set #window(chosen: Window | null) {
    const { least = 0, most = 4095 } = this.viewport.slice ?? {};
    this.viewport.window = chosen ?? { width: Math.max(1, most - least), level: (most + least) / 2 };
  }

  #redraw(): void {
    this.viewport.render();
    this.refresh();
  }

  invert(): void {
    this.#memory.inverted = !this.#memory.inverted;
    this.#applyInvert();
    this.#redraw();
  }

  #applyInvert(): void {
    const kind = this.stack?.frames[0]?.metadata['00280004']?.Value?.[0];
    this.viewport.inverted = (kind === 'MONOCHROME1') !== this.#memory.inverted;
  }

  /** Mouse work: the button is held and moved by so many points, from where it went down. */
  drag(work: Work, right: number, down: number, from: Spot): void {
    const { slice, height } = this.viewport;
    if (!this.#mounted || !slice) return;
    if (work === 'window') {
      const gain = (slice.most - slice.least) / WINDOW_PX || 1;
      const step = gain > 1 ? Math.round(gain) : gain;
      const { width, level } = this.#window;
      this.#window = { width: Math.max(1, width + right * step), level: level + down * step };
    } else if (work === 'zoom') {
      const part = (down * ZOOM_PART) / Math.max(1, height);
      this.viewport.zoomAt(from, 1 / (1 - Math.max(-1, Math.min(MOST_ZOOM_STEP, part))));
    } else if (work === 'pan') this.viewport.pan(right, down);
    this.#redraw();
  }

  /** The element may have another size; a picture that was fitted is fitted again. */
  resize(): void {
    const { fitted } = this;
    if (!this.viewport.resize()) return;
    if (fitted) this.viewport.fit();
    this.viewport.render();
  }

  /** Neither zoomed nor moved: it may be fitted again when its size changes. */
  get fitted(): boolean {
    return this.#mounted && this.viewport.fitted;
  }

  reset(): void {
    if (!this.#mounted) return;
    this.#memory.inverted = false;
    this.viewport.fit();
    this.#window = this.#preset({ kind: 'plan' });
    this.#applyInvert();
    this.#redraw();
  }

  // Words and marks ---------------------------------------------------------------------------------------------

  /** A screen position as a patient point exactly in the shown slice. */
  toPatient(spot: Spot): Vec3 | null {
    const plane = this.plane;
    if (!plane) return null;
    const point = this.viewport.toWorld(spot);
    return subtract(point, scale(plane.normal, depth(plane, point)));
  }

  refresh(): void {
    if (this.#gone || !this.#mounted || !this.stack) return;
    this.#stale = false;
    const plane = this.shown >= 0 ? this.plane : null;
    const scene = this.#scene(this.stack);
    const frame = this.stack.frames[this.shown];
    this.element.dataset.slice = frame ? String(this.shown + 1) : '';
    this.element.dataset.frame = frame?.uid ?? '';
    const letters = plane ? sideLetters(this.viewport) : null;
    this.overlay.corners({
      slice: sliceText(scene, this.element.dataset.state === 'loading'),
      position: plane ? positionText(plane) : '',
      block: blockText(scene),
      kind: isComputed(this.stack) ? `${this.stack.reformat} reformat` : '',
      window: this.#windowText(),
      note: frame ? noteOf(scene, plane, letters?.left ?? '') : elsewhere(scene),
      letters,
      bar: plane ? bar(this.viewport, this.viewport.width / 4) : null,
    });
    this.overlay.draw(
      plane ? drawingOf(scene, plane, this.viewport) : { lines: [], spot: null, slips: [], labels: [] },
    );
    // For tests: where pixel (0, 0) is on the screen, and how far one column and one row go.
    const map = plane ? pixelMap(this.viewport) : '';
    if (map) this.element.dataset.pixelMap = map;
    else delete this.element.dataset.pixelMap;
    this.#readOut.again();
    this.#events.refreshed(this);
  }

  #scene(stack: Stack): Scene {
    const { shown, wanted, blocks, marks, pending, drawnOn, references, located } = this;
    return { stack, shown, wanted, blocks, marks, pending, drawnOn, references, located };
  }

  /** What is on the screen, to be found again later: image, window, and the part zoomed to; null while none is. */
  get look(): CellEvidence | null {
    const uid = this.honest ? this.stack?.frames[this.shown]?.uid : undefined;
    if (!uid) return null;
    const window = this.#window;
    return this.fitted || !this.plane ? { uid, window } : { uid, window, field: this.viewport.field };
  }

  /** Bring back the window and the part of the image that were seen. */
  lookAs(seen: CellEvidence): void {
    if (!this.#mounted || !this.stack) return;
    if (seen.window) this.#window = seen.window;
    if (seen.field) this.viewport.showField(seen.field);
    else this.viewport.fit();
    this.#redraw();
  }

  /** The slice on the screen, or null while it is not the one asked for. */
  get #seen(): Slice | null {
    return this.#mounted && this.honest ? this.viewport.slice : null;
  }

  /** Its values by column and row. */
  grey(): ((column: number, row: number) => number) | null {
    const slice = this.#seen;
    return slice ? (column, row) => slice.values[row * slice.columns + column] ?? Number.NaN : null;
  }

  /** The window in words; it is remembered for this stack on the way. */
  #windowText(): string {
    const window = this.#window;
    this.#memory.windows.set(this.#presetKey, window);
    return `W ${Math.round(window.width)} L ${Math.round(window.level)}`;
  }

  /** A quiet word that leaves with the slice it was said at. */
  hint(text: string): void {
    this.#hintAt = this.wanted;
    this.overlay.hint(text);
  }

  /** What the magnifier draws from, or null while the slice is not the one asked for. */
  picture(): Picture | null {
    const slice = this.#seen;
    if (!slice) return null;
    const { values, columns, rows } = slice;
    const [lower, upper] = rangeOf(this.#window);
    return { values, columns, rows, lower, upper, inverted: this.viewport.inverted };
  }

  #readable(): Shown | null {
    const frame = this.stack?.frames[this.shown];
    const { plane } = this;
    const grey = frame && plane ? this.grey() : null;
    return frame && plane && grey ? { frame, plane, grey, toPatient: (spot) => this.toPatient(spot) } : null;
  }

  destroy(): void {
    this.#gone = true;
    this.#seek.stop();
    this.element.remove();
  }
}
