/** Bringing the wanted slice onto the screen: from memory at once, else as soon as it is here. */
import type { Slice } from './paint.ts';

export interface SeekDoors {
  /** The address of what is wanted now; it changes while something is on its way. */
  wanted(): string;
  /** What is wanted is on the screen already. */
  there(): boolean;
  /** From memory. */
  slice(address: string): Slice | null;
  load(address: string): Promise<unknown>;
  display(slice: Slice): void;
  fail(): void;
  /** It takes long enough to say so. */
  waiting(): void;
}

/** After so long a view says that it waits, and no longer waits for what it does not want any more. */
export const PATIENCE_MS = 300;

export class Seek {
  readonly #doors: SeekDoors;
  /** The search that is under way; another one takes its place. */
  #search: object | null = null;
  #timer: number | undefined;

  constructor(doors: SeekDoors) {
    this.#doors = doors;
  }

  get running(): boolean {
    return this.#search !== null;
  }

  /** Something else may be wanted. What is in memory stands on the screen before the next frame is. */
  go(): void {
    const doors = this.#doors;
    if (doors.there()) {
      this.stop();
      return;
    }
    const slice = doors.slice(doors.wanted());
    if (slice) {
      this.stop();
      doors.display(slice);
    } else if (!this.running) void this.#run();
  }

  stop(): void {
    this.#search = null;
    window.clearTimeout(this.#timer);
  }

  /** Many wishes while one is under way become the last one. */
  async #run(): Promise<void> {
    const search = {};
    this.#search = search;
    this.#timer = window.setTimeout(() => this.#doors.waiting(), PATIENCE_MS);
    while (this.#search === search) {
      const address = this.#doors.wanted();
      await this.#loaded(address, () => this.#search === search && address === this.#doors.wanted());
      if (this.#search !== search) return;
      if (address !== this.#doors.wanted()) continue;
      this.stop();
      const slice = this.#doors.slice(address);
      if (slice) this.#doors.display(slice);
      else this.#doors.fail();
    }
  }

  /** Until it is here, or failed, or is not wanted any more: a request that hangs holds up nothing else. */
  async #loaded(address: string, still: () => boolean): Promise<void> {
    let here = false;
    const load = this.#doors.load(address).then(() => {
      here = true;
    });
    do {
      let timer: number | undefined;
      await Promise.race([load, new Promise((done) => (timer = window.setTimeout(done, PATIENCE_MS)))]);
      window.clearTimeout(timer);
    } while (!here && still());
  }
}
