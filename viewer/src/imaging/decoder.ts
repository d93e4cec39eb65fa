/** Workers that decode; they are started with the page, so that they are ready before the first frame is here. */

import type { Form, Values } from './modality.ts';

/** `broken`: this worker will never decode anything. */
type Answer = ({ readonly failed?: false } & Values) | { readonly failed: true; readonly broken?: boolean };

interface Waiting {
  done(values: Values): void;
  fail(): void;
}

const MOST_WORKERS = 3;

export class Decoder {
  #workers: readonly Worker[] = [];
  readonly #waiting = new Map<number, Waiting>();
  #job = 0;

  constructor() {
    this.#begin();
  }

  #begin(): void {
    const count = Math.max(1, Math.min(MOST_WORKERS, Math.floor((navigator.hardwareConcurrency || 2) / 2)));
    this.#workers = Array.from({ length: count }, () => this.#start());
  }

  /** End the workers and give back their memory, unless they are at work; the next frame starts new ones. */
  rest(): void {
    if (this.#waiting.size === 0) this.#end();
  }

  #end(): void {
    for (const worker of this.#workers) worker.terminate();
    this.#workers = [];
  }

  #start(): Worker {
    const worker = new Worker(new URL('./decode.worker.ts', import.meta.url), { type: 'module' });
    worker.addEventListener('message', ({ data }: MessageEvent<Answer & { readonly job: number }>) => {
      if (data.failed && data.broken) {
        this.#broke(worker);
        return;
      }
      const waiting = this.#waiting.get(data.job);
      this.#waiting.delete(data.job);
      if (data.failed) waiting?.fail();
      else waiting?.done(data);
    });
    worker.addEventListener('error', () => this.#broke(worker));
    return worker;
  }

  /**
   * A worker that could not start answers nobody: what waits for it must not wait for ever. The next frame starts new
   * ones. What one of the ended ones still says is of no matter to them.
   */
  #broke(worker: Worker): void {
    if (!this.#workers.includes(worker)) return;
    this.#end();
    for (const { fail } of this.#waiting.values()) fail();
    this.#waiting.clear();
  }

  decode(bytes: ArrayBuffer, form: Form): Promise<Values> {
    this.#job += 1;
    const job = this.#job;
    if (this.#workers.length === 0) this.#begin();
    return new Promise((done, refuse) => {
      this.#waiting.set(job, { done, fail: () => refuse(new Error('The frame cannot be decoded.')) });
      const message = { job, bytes, form };
      this.#workers[job % this.#workers.length]?.postMessage(message, [bytes]);
    });
  }
}
