/** Decoded slices in memory, up to a limit; those not looked at for the longest time go first. */
import type { Slice } from './paint.ts';

const MOST_BYTES = 768 * 1024 * 1024;

export class Held {
  readonly #slices = new Map<string, Slice>();
  readonly #most: number;
  #bytes = 0;

  constructor(most = MOST_BYTES) {
    this.#most = most;
  }

  /** Another case's slices would only drive out those of the open one. */
  get full(): boolean {
    return this.#bytes > this.#most / 2;
  }

  has(id: string): boolean {
    return this.#slices.has(id);
  }

  get(id: string): Slice | null {
    const slice = this.#slices.get(id);
    if (!slice) return null;
    this.#slices.delete(id);
    this.#slices.set(id, slice);
    return slice;
  }

  put(slice: Slice): void {
    this.drop(slice.id);
    this.#slices.set(slice.id, slice);
    this.#bytes += slice.values.byteLength;
    for (const id of this.#slices.keys()) {
      if (this.#bytes <= this.#most || id === slice.id) return;
      this.drop(id);
    }
  }

  drop(id: string): void {
    this.#bytes -= this.#slices.get(id)?.values.byteLength ?? 0;
    this.#slices.delete(id);
  }
}
