/** Loading frames, with an honest account of what failed. */
import { frameBytes } from '../api.ts';
import type { Frame, Stack } from '../wire.ts';
import { Decoder } from './decoder.ts';
import { Held } from './held.ts';
import { formOf } from './modality.ts';
import type { Slice } from './paint.ts';
import { type Computed, cut, type Pixels } from './reformat.ts';
import { turnedValues } from './turn.ts';

const PARALLEL = 4;
const TRIES = 3;
const AGAIN_MS = 500;

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
  /** A frame is in memory, at whichever try: a view that gave it up after an earlier one can show it. */
  came(id: string): void;
}

/** What came instead of a slice: the server's status, or 0 where there is none. */
interface Missing {
  readonly status: number;
}

/** Loads the frames of the open case and, after them, of the next one. A frame is known by its address. */
export class Loader {
  readonly #events: LoaderEvents;
  readonly #decoder = new Decoder();
  readonly #held = new Held();
  readonly #coming = new Map<string, Promise<Slice | Missing>>();
  readonly #frames = new Map<string, Frame>();
  readonly #computed = new Map<string, { readonly stack: Computed; readonly place: number }>();
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
        this.#frames.set(frame.image, frame);
        this.#own.set(frame.image, { stack, index });
        this.#ahead.delete(frame.image);
      });
    }
    this.#told = false;
    this.#queue = order.filter((id) => !this.#loaded.has(id));
    this.#fill();
    this.#tell();
  }

  /** Load another case's frames behind everything else. */
  prefetch(stacks: readonly Stack[]): void {
    for (const frame of stacks.flatMap((stack) => stack.frames)) {
      if (this.#expect(frame)) this.#queue.push(frame.image);
    }
    this.#fill();
  }

  /** What a case that is about to be opened shows first: asked for at once. */
  hasten(frames: readonly Frame[]): void {
    for (const frame of frames) if (this.#expect(frame)) void this.load(frame.image, true);
  }

  #expect(frame: Frame): boolean {
    if (this.#own.has(frame.image) || this.#ahead.has(frame.image)) return false;
    this.#frames.set(frame.image, frame);
    this.#ahead.add(frame.image);
    return true;
  }

  /** Frames of a computed stack are made when they are looked at, and gone with the case. */
  announce(stack: Computed): void {
    stack.frames.forEach(({ image }, index) => {
      this.#computed.set(image, { stack, place: stack.walk.places[index] as number });
    });
  }

  /** The slice, if it is in memory. */
  slice(id: string): Slice | null {
    return this.#held.get(id);
  }

  /** True once the frame is in memory. A failure is remembered until a later try succeeds. */
  async load(id: string, urgent: boolean): Promise<boolean> {
    return this.#held.has(id) || 'values' in (await this.#bring(id, urgent));
  }

  async #bring(id: string, urgent: boolean): Promise<Slice | Missing> {
    const held = this.#held.get(id);
    if (held) return held;
    let coming = this.#coming.get(id);
    if (!coming) {
      coming = this.#computed.has(id) ? this.#compute(id) : this.#fetch(id, urgent);
      this.#coming.set(id, coming);
    }
    const came = await coming;
    this.#coming.delete(id);
    if ('values' in came) this.#keep(came);
    // From the first failure until it is here, however often it is tried: submitting waits as long.
    else if (this.#own.has(id)) this.#failed.set(id, came.status);
    this.#tell();
    if (this.#own.has(id) && this.#held.has(id)) this.#events.came(id);
    return came;
  }

  /** The case may have been closed meanwhile. */
  #keep(slice: Slice): void {
    this.#failed.delete(slice.id);
    const known = this.#own.has(slice.id) || this.#ahead.has(slice.id);
    if (known) this.#loaded.add(slice.id);
    if (known || this.#computed.has(slice.id)) this.#held.put(slice);
  }

  async #fetch(id: string, urgent: boolean): Promise<Slice | Missing> {
    const frame = this.#frames.get(id);
    const bytes = frame ? await frameBytes(id, urgent) : 0;
    if (!frame || typeof bytes === 'number') return { status: Number(bytes) };
    try {
      const form = formOf(frame.metadata);
      const { columns, rows } = form;
      if (!frame.turn) return { id, columns, rows, ...(await this.#decoder.decode(bytes, form)) };
      const [wide, high] = frame.turn.transpose ? [rows, columns] : [columns, rows];
      const stored = await this.#decoder.decode(bytes, { ...form, columns: wide, rows: high });
      return { id, columns, rows, ...stored, values: turnedValues(stored.values, wide, high, frame.turn) };
    } catch {
      return { status: 0 };
    }
  }

  /** One slice needs every slice of its series; where one does not come, this one does not either. */
  async #compute(id: string): Promise<Slice | Missing> {
    const { stack, place } = this.#computed.get(id) as { stack: Computed; place: number };
    const came = await Promise.all(stack.source.frames.map((frame) => this.#bring(frame.image, true)));
    const slices = came.flatMap((one) => ('values' in one ? [one.values] : []));
    if (slices.length < came.length) return { status: 0 };
    const values = cut(slices, stack.grid, stack.walk, place);
    const { right, down } = stack.walk;
    const [columns, rows] = [stack.grid.counts[right.axis], stack.grid.counts[down.axis]];
    return { id, columns, rows, values, ...ends(values) };
  }

  retry(): void {
    this.#queue.unshift(...this.#failed.keys());
    this.#fill();
  }

  /** Forget the open case: its frames, what was computed from them, what is still to be asked for, the workers. */
  close(): void {
    for (const id of [...this.#own.keys(), ...this.#computed.keys()]) this.#drop(id);
    this.#own.clear();
    this.#computed.clear();
    this.#failed.clear();
    this.#queue = this.#queue.filter((id) => this.#ahead.has(id));
    this.#decoder.rest();
  }

  /** Forget frames fetched ahead that turned out not to belong to the open case. */
  dropAhead(): void {
    for (const id of this.#ahead) this.#drop(id);
    this.#queue = this.#queue.filter((id) => !this.#ahead.has(id));
    this.#ahead.clear();
  }

  #drop(id: string): void {
    this.#held.drop(id);
    this.#frames.delete(id);
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
      const own = this.#own.has(id);
      if (!own && (!this.#ahead.has(id) || this.#held.full)) return;
      if (await this.load(id, false)) return;
      if (attempt < TRIES) await new Promise((resolve) => window.setTimeout(resolve, AGAIN_MS * attempt));
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

function ends(values: Pixels): { readonly least: number; readonly most: number } {
  let [least, most] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (let i = 0; i < values.length; i += 1) {
    const value = values[i] as number;
    if (value < least) least = value;
    if (value > most) most = value;
  }
  return { least, most };
}
