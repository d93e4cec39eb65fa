/** Starting the toolkit, and loading frames through it with an honest account of what failed. */
import {
  cache,
  init as coreInit,
  Enums,
  getWebWorkerManager,
  imageLoader,
  RenderingEngine,
} from '@cornerstonejs/core';
import { init as loaderInit, wadors } from '@cornerstonejs/dicom-image-loader';
import {
  addTool,
  PanTool,
  Enums as ToolEnums,
  ToolGroupManager,
  init as toolsInit,
  WindowLevelTool,
  ZoomTool,
} from '@cornerstonejs/tools';
import type { Tool } from '../keys.ts';
import type { Frame, Stack, Work } from '../wire.ts';
import { COMPUTED } from './reformat.ts';

const CACHE_BYTES = 768 * 1024 * 1024;
const ENGINE = 'room';
const GROUP = 'room';
const PARALLEL = 4;
const TRIES = 3;

const statuses = new Map<string, number>();

let engine: RenderingEngine | null = null;

/** Start once; the same engine and tool group serve every case. */
export function startToolkit(): RenderingEngine {
  if (engine) return engine;
  coreInit({ rendering: { webGlContextCount: 4 } } as Parameters<typeof coreInit>[0]);
  cache.setMaxCacheSize(CACHE_BYTES);
  toolsInit();
  loaderInit({
    maxWebWorkers: Math.max(1, Math.min(3, Math.floor((navigator.hardwareConcurrency || 2) / 2))),
    errorInterceptor: (error: unknown) => {
      const { request } = error as { request?: XMLHttpRequest };
      if (request) statuses.set(path(request.responseURL), request.status);
    },
  });
  // The toolkit rejects a second, unobserved promise for every failed frame; the first one is handled here.
  window.addEventListener('unhandledrejection', (event) => {
    if (event.reason instanceof XMLHttpRequest) event.preventDefault();
  });
  for (const tool of [WindowLevelTool, ZoomTool, PanTool]) addTool(tool);
  const group = ToolGroupManager.createToolGroup(GROUP);
  group?.addTool(WindowLevelTool.toolName);
  group?.addTool(ZoomTool.toolName);
  group?.addTool(PanTool.toolName);
  engine = new RenderingEngine(ENGINE);
  return engine;
}

const path = (url: string): string => {
  try {
    return new URL(url, location.href).pathname;
  } catch {
    return url;
  }
};

const BUTTONS = ToolEnums.MouseBindings;
/** Tools that are the toolkit's; points and marks are ours. */
const NAMES: Readonly<Partial<Record<Tool, string>>> = {
  window: WindowLevelTool.toolName,
  zoom: ZoomTool.toolName,
  pan: PanTool.toolName,
};

/** Which work each mouse button does while no tool is chosen. */
export interface Buttons {
  readonly left: Work;
  readonly middle: Work;
  readonly right: Work;
}

export const USUAL: Buttons = { left: 'window', middle: 'pan', right: 'zoom' };

/** Left button as chosen; the others as the reader's habit has them. */
export function bindTool(tool: Tool, { middle, right }: Buttons): void {
  const group = ToolGroupManager.getToolGroup(GROUP);
  if (!group) return;
  const wanted: readonly (readonly [Tool, number])[] = [
    [tool, BUTTONS.Primary],
    [middle, BUTTONS.Auxiliary],
    [right, BUTTONS.Secondary],
  ];
  for (const [work, name] of Object.entries(NAMES)) {
    const bindings = wanted.filter(([one]) => one === work).map(([, mouseButton]) => ({ mouseButton }));
    // The toolkit adds bindings to those a tool has; a button that lost its work must be taken away first.
    group.setToolPassive(name, { removeAllBindings: true });
    if (bindings.length > 0) group.setToolActive(name, { bindings });
  }
}

export function joinTools(viewportId: string): void {
  ToolGroupManager.getToolGroup(GROUP)?.addViewport(viewportId, ENGINE);
}

export function leaveTools(viewportId: string): void {
  ToolGroupManager.getToolGroup(GROUP)?.removeViewports(ENGINE, viewportId);
}

/** Computed frames carry a scheme of their own; all others are fetched. */
export const imageIdOf = (frame: Frame): string =>
  frame.image.startsWith(`${COMPUTED}:`) ? frame.image : `wadors:${frame.image}`;

export interface Failure {
  readonly stack: Stack;
  readonly index: number;
  readonly status: number;
}

export interface LoaderEvents {
  /** Some own frames came or failed. */
  progress(loaded: number, of: number, failures: readonly Failure[]): void;
  /** Every own frame is here. */
  complete(): void;
}

/** Loads the frames of the open case and, after them, of the next one. */
export class Loader {
  readonly #events: LoaderEvents;
  #own = new Map<string, { readonly stack: Stack; readonly index: number }>();
  #ahead = new Set<string>();
  #loaded = new Set<string>();
  #failed = new Map<string, number>();
  #queue: string[] = [];
  #running = 0;
  #told = false;

  constructor(events: LoaderEvents) {
    this.#events = events;
  }

  get failures(): readonly Failure[] {
    return [...this.#failed].flatMap(([id, status]) => {
      const own = this.#own.get(id);
      return own ? [{ ...own, status }] : [];
    });
  }

  /** Register a case's frames and load them in the given order. */
  open(stacks: readonly Stack[], order: readonly string[]): void {
    for (const stack of stacks) {
      stack.frames.forEach((frame, index) => {
        this.#register(frame);
        this.#own.set(imageIdOf(frame), { stack, index });
        this.#ahead.delete(imageIdOf(frame));
      });
    }
    this.#told = false;
    this.#queue = order.filter((id) => !this.#loaded.has(id));
    this.#fill();
    this.#tell();
  }

  /** Load another case's frames behind everything else. */
  prefetch(stacks: readonly Stack[]): void {
    const frames = stacks.flatMap((stack) => stack.frames);
    for (const frame of frames) {
      const id = imageIdOf(frame);
      if (this.#own.has(id) || this.#ahead.has(id)) continue;
      this.#register(frame);
      this.#ahead.add(id);
      this.#queue.push(id);
    }
    this.#fill();
  }

  /** True once the frame is in memory. A failure is remembered until a later try succeeds. */
  async load(id: string, urgent: boolean): Promise<boolean> {
    if (this.#loaded.has(id) && cache.getImageLoadObject(id)) return true;
    const type = urgent ? Enums.RequestType.Interaction : Enums.RequestType.Prefetch;
    try {
      await imageLoader.loadAndCacheImage(id, { requestType: type, priority: urgent ? 0 : 5 });
      if (this.#own.has(id) || this.#ahead.has(id)) this.#loaded.add(id);
      this.#failed.delete(id);
      return true;
    } catch {
      if (this.#own.has(id)) this.#failed.set(id, statuses.get(path(id.slice('wadors:'.length))) ?? 0);
      return false;
    } finally {
      this.#tell();
    }
  }

  retry(): void {
    this.#queue.unshift(...this.#failed.keys());
    this.#fill();
  }

  /** Forget the open case: its frames, its metadata, and, when nothing is under way, the decode workers. */
  close(): void {
    for (const id of this.#own.keys()) this.#drop(id);
    this.#own.clear();
    this.#failed.clear();
    statuses.clear();
    this.#queue = this.#queue.filter((id) => this.#ahead.has(id));
    if (this.#running === 0) getWebWorkerManager().terminate('dicomImageLoader');
  }

  /** Forget frames fetched ahead that turned out not to belong to the open case. */
  dropAhead(): void {
    for (const id of this.#ahead) this.#drop(id);
    this.#queue = this.#queue.filter((id) => !this.#ahead.has(id));
    this.#ahead.clear();
  }

  #register(frame: Frame): void {
    wadors.metaDataManager.add(imageIdOf(frame), { ...frame.metadata } as unknown as Parameters<
      typeof wadors.metaDataManager.add
    >[1]);
  }

  #drop(id: string): void {
    if (cache.getImageLoadObject(id)) cache.removeImageLoadObject(id, { force: true });
    wadors.metaDataManager.remove(id);
    this.#loaded.delete(id);
  }

  #fill(): void {
    while (this.#running < PARALLEL) {
      const id = this.#queue.shift();
      if (id === undefined) return;
      this.#running += 1;
      void this.#persist(id).finally(() => {
        this.#running -= 1;
        this.#fill();
      });
    }
  }

  async #persist(id: string): Promise<void> {
    for (let attempt = 1; attempt <= TRIES; attempt += 1) {
      if (!this.#own.has(id) && !this.#ahead.has(id)) return;
      if (await this.load(id, false)) return;
      if (attempt < TRIES) await new Promise((resolve) => window.setTimeout(resolve, 500 * attempt));
    }
  }

  #tell(): void {
    let loaded = 0;
    for (const id of this.#own.keys()) if (this.#loaded.has(id)) loaded += 1;
    this.#events.progress(loaded, this.#own.size, this.failures);
    if (loaded === this.#own.size && loaded > 0 && !this.#told) {
      this.#told = true;
      this.#events.complete();
    }
  }
}
