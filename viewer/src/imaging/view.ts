/** One view: a stack viewport, what it should show, what it really shows, and the words around it. */
import type { RenderingEngine, Types } from '@cornerstonejs/core';
import { Enums, utilities } from '@cornerstonejs/core';
import { depth, type Plane, planeOf, positionText, scale, subtract } from '../geometry.ts';
import type { CellEvidence, LayoutView, Preset, Stack, Vec3 } from '../wire.ts';
import type { Block } from './blocks.ts';
import { blockText, drawingOf, elsewhere, type Mark, type Scene, sliceText } from './captions.ts';
import { presetWindow, startIndex, type Window } from './hanging.ts';
import type { Picture } from './lens.ts';
import { Overlay, type Spot } from './overlay.ts';
import { ReadOut, type Shown } from './readout.ts';
import { isComputed } from './reformat.ts';
import { bar, fieldOf, pixelMap, showField, sideLetters, toWorld } from './screen.ts';
import { imageIdOf, joinTools, type Loader, leaveTools } from './toolkit.ts';

const WORD_AFTER_MS = 300;

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
  readonly #engine: RenderingEngine;
  readonly #loader: Loader;
  readonly #events: ViewEvents;
  readonly #pixels: HTMLDivElement;
  #memory: Memory = { windows: new Map(), inverted: false };
  #mounted = false;
  #running = false;
  #gone = false;
  #presetKey: string;
  #waiting: number | undefined;
  #hintAt = -1;
  readonly #readOut: ReadOut;

  constructor(
    host: HTMLElement,
    id: string,
    plan: LayoutView,
    synthetic: boolean,
    engine: RenderingEngine,
    loader: Loader,
    events: ViewEvents,
  ) {
    this.id = id;
    this.plan = plan;
    this.#engine = engine;
    this.#loader = loader;
    this.#events = events;
    this.#presetKey = plan.preset;
    this.element = document.createElement('div');
    this.element.className = 'view';
    this.element.setAttribute('role', 'group');
    this.#pixels = document.createElement('div');
    this.#pixels.className = 'pixels';
    this.element.append(this.#pixels);
    this.overlay = new Overlay(this.element, synthetic, () => events.retry());
    this.overlay.title.addEventListener('change', () => events.pick(this, this.overlay.title.value));
    host.append(this.element);
    this.#engine.enableElement({ viewportId: id, type: Enums.ViewportType.STACK, element: this.#pixels });
    joinTools(id);
    this.#readOut = new ReadOut(
      this.element,
      () => this.#readable(),
      (text) => this.overlay.value(text),
    );
    this.#pixels.addEventListener(Enums.Events.IMAGE_RENDERED, () => this.refresh());
    this.#state('empty');
  }

  get plane(): Plane | null {
    return this.planes[this.shown] ?? null;
  }

  get viewport(): Types.IStackViewport {
    return this.#engine.getViewport(this.id) as Types.IStackViewport;
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
    if (!this.#running) void this.#pump();
  }

  /** Bring what is wanted onto the screen; many requests while one is under way become the last one. */
  async #pump(): Promise<void> {
    this.#running = true;
    this.#waiting = window.setTimeout(() => this.#sayWaiting(), WORD_AFTER_MS);
    try {
      while (!this.#gone && this.stack && (this.shown !== this.wanted || !this.#mounted)) {
        if ((await this.#bring(this.stack, this.wanted)) === 'failed') return;
      }
    } finally {
      this.#running = false;
      window.clearTimeout(this.#waiting);
    }
  }

  async #bring(stack: Stack, index: number): Promise<'shown' | 'overtaken' | 'failed'> {
    const frame = stack.frames[index];
    const came = frame !== undefined && (await this.#loader.load(imageIdOf(frame), true));
    if (this.#overtaken(stack) || index !== this.wanted) return 'overtaken';
    if (came) await this.#display(stack, index);
    if (this.#overtaken(stack)) return 'overtaken';
    if (!came || !this.#truly(imageIdOf(frame))) {
      this.#fail(index);
      return 'failed';
    }
    this.shown = index;
    this.overlay.uncover();
    this.#state('ready');
    this.refresh();
    this.#events.shown(this);
    return 'shown';
  }

  #overtaken(stack: Stack): boolean {
    return this.#gone || stack !== this.stack;
  }

  async #display(stack: Stack, index: number): Promise<void> {
    const viewport = this.viewport;
    if (this.#mounted) {
      await viewport.setImageIdIndex(index);
      return;
    }
    await viewport.setStack(stack.frames.map(imageIdOf), index);
    if (this.#gone || stack !== this.stack) return;
    this.#mounted = true;
    this.#applyWindow(this.#memory.windows.get(this.#presetKey) ?? this.#preset({ kind: 'plan' }));
    this.#applyInvert();
    viewport.render();
  }

  /** The toolkit resolves even when it still holds another slice; the image itself is the truth. */
  #truly(imageId: string): boolean {
    return this.viewport.getCornerstoneImage()?.imageId === imageId;
  }

  #fail(index: number): void {
    this.shown = -1;
    this.#state('failed');
    const name = this.stack?.title ?? '';
    this.overlay.cover(`Slice ${index + 1} of ${name} did not load. Nothing is shown in its place.`, true);
    this.refresh();
    this.#events.shown(this);
  }

  #sayWaiting(): void {
    if (!this.#running) return;
    this.#state('loading');
    if (!this.#mounted) this.overlay.cover('Loading images', false, true);
    this.refresh();
  }

  #state(state: 'empty' | 'loading' | 'ready' | 'failed'): void {
    this.element.dataset.state = state;
  }

  /** Ask again for the wanted slice after a failure. */
  again(): void {
    if (this.element.dataset.state === 'failed' && !this.#running) void this.#pump();
  }

  // Window, zoom ------------------------------------------------------------------------------------------------

  usePreset(preset: Preset): void {
    if (!this.#mounted) return;
    this.#applyWindow(this.#preset(preset));
    this.viewport.render();
  }

  presets: readonly Preset[] = [];

  #preset(preset: Preset | { readonly kind: 'plan' }): Window | null {
    const chosen = preset.kind === 'plan' ? this.presets.find((p) => p.key === this.plan.preset) : preset;
    return presetWindow(chosen, this.stack);
  }

  #applyWindow(chosen: Window | null): void {
    const image = this.viewport.getCornerstoneImage();
    const least = image?.minPixelValue ?? 0;
    const most = image?.maxPixelValue ?? 4095;
    const window = chosen ?? { width: Math.max(1, most - least), level: (most + least) / 2 };
    this.viewport.setProperties({
      voiRange: utilities.windowLevel.toLowHighRange(window.width, window.level),
    });
  }

  invert(): void {
    this.#memory.inverted = !this.#memory.inverted;
    this.#applyInvert();
    this.viewport.render();
  }

  #applyInvert(): void {
    if (!this.#mounted) return;
    const kind = this.stack?.frames[0]?.metadata['00280004']?.Value?.[0];
    this.viewport.setProperties({ invert: (kind === 'MONOCHROME1') !== this.#memory.inverted });
  }

  /** Neither zoomed nor moved: it may be fitted again when its size changes. */
  get fitted(): boolean {
    if (!this.#mounted) return false;
    const [x, y] = this.viewport.getPan();
    return Math.abs(this.viewport.getZoom() - 1) < 1e-3 && Math.hypot(x, y) < 1;
  }

  fit(): void {
    this.viewport.resetCamera();
    this.viewport.render();
  }

  reset(): void {
    if (!this.#mounted) return;
    this.#memory.inverted = false;
    this.viewport.resetCamera();
    this.#applyWindow(this.#preset({ kind: 'plan' }));
    this.#applyInvert();
    this.viewport.render();
  }

  // Words and marks ---------------------------------------------------------------------------------------------

  /** A screen position as a patient point exactly in the shown slice. */
  toPatient(spot: Spot): Vec3 | null {
    const plane = this.plane;
    if (!plane) return null;
    const point = toWorld(this.viewport, spot);
    return subtract(point, scale(plane.normal, depth(plane, point)));
  }

  refresh(): void {
    if (this.#gone || !this.#mounted || !this.stack) return;
    const plane = this.shown >= 0 ? this.plane : null;
    const scene = this.#scene(this.stack);
    const frame = this.stack.frames[this.shown];
    this.element.dataset.slice = frame ? String(this.shown + 1) : '';
    this.element.dataset.frame = frame?.uid ?? '';
    this.overlay.corners({
      slice: sliceText(scene, this.element.dataset.state === 'loading'),
      position: plane ? positionText(plane) : '',
      block: blockText(scene),
      kind: isComputed(this.stack) ? `${this.stack.reformat} reformat` : '',
      window: this.#windowText(),
      note:
        frame && !plane ? 'Position or scale is missing: no side letters, no measuring' : elsewhere(scene),
      letters: plane ? sideLetters(this.viewport) : null,
      bar: plane ? bar(this.viewport, this.element.clientWidth / 4) : null,
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
    const window = this.#window();
    if (!uid || !window || window.width <= 0) return null;
    return this.fitted || !this.plane ? { uid, window } : { uid, window, field: fieldOf(this.viewport) };
  }

  /** Bring back the window and the part of the image that were seen. */
  lookAs(seen: CellEvidence): void {
    if (!this.#mounted || !this.stack) return;
    if (seen.window) this.#applyWindow(seen.window);
    if (seen.field) showField(this.viewport, seen.field);
    else if (!this.fitted) this.viewport.resetCamera();
    this.viewport.render();
  }

  /** The stored values of the slice on the screen by column and row, or null while it is not the one asked for. */
  grey(): ((column: number, row: number) => number) | null {
    const image = this.#mounted && this.honest ? this.viewport.getCornerstoneImage() : undefined;
    const values = image?.voxelManager;
    return values ? (column, row) => Number(values.getAtIJK(column, row, 0)) : null;
  }

  /** The window in words; it is remembered for this stack on the way. */
  #windowText(): string {
    const window = this.#window();
    if (!window) return '';
    this.#memory.windows.set(this.#presetKey, window);
    return `W ${Math.round(window.width)} L ${Math.round(window.level)}`;
  }

  #window(): Window | null {
    const range = this.#mounted ? this.viewport.getProperties().voiRange : undefined;
    if (!range) return null;
    const { windowWidth, windowCenter } = utilities.windowLevel.toWindowLevel(range.lower, range.upper);
    return { width: windowWidth, level: windowCenter };
  }

  /** A quiet word that leaves with the slice it was said at. */
  hint(text: string): void {
    this.#hintAt = this.wanted;
    this.overlay.hint(text);
  }

  /** What the magnifier draws from, or null while the slice is not the one asked for. */
  picture(): Picture | null {
    const image = this.#mounted && this.honest ? this.viewport.getCornerstoneImage() : undefined;
    const { voiRange, invert } = this.#mounted ? this.viewport.getProperties() : {};
    const values = image?.voxelManager?.getScalarData();
    if (!image || !values || !voiRange || image.color) return null;
    const { columns, rows } = image;
    return { values, columns, rows, lower: voiRange.lower, upper: voiRange.upper, inverted: invert === true };
  }

  #readable(): Shown | null {
    const frame = this.stack?.frames[this.shown];
    const { plane } = this;
    const grey = frame && plane ? this.grey() : null;
    return frame && plane && grey ? { frame, plane, grey, toPatient: (spot) => this.toPatient(spot) } : null;
  }

  destroy(): void {
    this.#gone = true;
    window.clearTimeout(this.#waiting);
    leaveTools(this.id);
    this.#engine.disableElement(this.id);
    this.element.remove();
  }
}
