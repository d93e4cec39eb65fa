/** What is to be sent, in pieces: pure. Small files share a request, a large one comes piece by piece. */
import type { Received } from '../wire.ts';

/** What the queue needs of a browser's File. */
export interface Bytes {
  readonly size: number;
  slice(from: number, to: number): Blob;
}

export interface Item {
  readonly path: string;
  readonly file: Bytes;
  /** The number under which the server knows it; names stay here. */
  number: number;
  sent: number;
  state: 'waiting' | 'sending' | 'here' | 'failed';
  reason: string;
}

export interface Part {
  readonly item: Item;
  readonly offset: number;
  readonly size: number;
}

export interface Cargo {
  readonly parts: readonly Part[];
  readonly size: number;
}

export interface Counts {
  readonly files: number;
  readonly here: number;
  readonly failed: number;
  readonly bytes: number;
  readonly sent: number;
}

export class Load {
  readonly #piece: number;
  readonly #mostParts: number;
  readonly #known = new Map<number, Item>();
  #waiting: Item[] = [];
  #next = 0;
  #again: Item[] = [];
  #bytes = 0;
  #sent = 0;
  #here = 0;
  readonly failed: Item[] = [];

  constructor(piece: number, mostParts: number) {
    this.#piece = piece;
    this.#mostParts = mostParts;
  }

  /** Take in what the server has given a number; `received` of it is there from an earlier try. */
  add(item: Item, number: number, received: number): void {
    if (this.#known.has(number)) return; // the same file, chosen twice
    item.number = number;
    item.sent = received;
    this.#known.set(number, item);
    this.#bytes += item.file.size;
    this.#sent += received;
    if (received >= item.file.size) {
      item.state = 'here';
      this.#here += 1;
    } else {
      this.#waiting.push(item);
    }
  }

  /** Give the next request's worth of bytes, or nothing while there is none. */
  next(): Cargo | null {
    const parts: Part[] = [];
    let room = this.#piece;
    while (parts.length < this.#mostParts) {
      const item = this.#again[this.#again.length - 1] ?? this.#waiting[this.#next];
      if (!item) break;
      const left = item.file.size - item.sent;
      if (parts.length > 0 && left > room) break;
      const size = Math.min(left, room);
      if (this.#again.length > 0) this.#again.pop();
      else this.#next += 1;
      item.state = 'sending';
      parts.push({ item, offset: item.sent, size });
      room -= size;
      if (room <= 0) break;
    }
    if (this.#next > 10_000) {
      this.#waiting = this.#waiting.slice(this.#next);
      this.#next = 0;
    }
    const size = parts.reduce((sum, part) => sum + part.size, 0);
    return parts.length > 0 ? { parts, size } : null;
  }

  /** Write down what the server says of a request; what it does not have yet waits again. */
  settle(cargo: Cargo, answers: readonly Received[]): void {
    const told = new Map(answers.map((answer) => [answer.number, answer]));
    for (const { item } of cargo.parts) {
      const answer = told.get(item.number);
      if (answer?.code === 'too_large')
        this.fail(item, 'The file has grown since it was chosen; choose it again.');
      else if (answer) this.#reached(item, answer.received);
      else this.#wait(item);
    }
  }

  giveBack(cargo: Cargo): void {
    for (const { item } of cargo.parts) if (item.state === 'sending') this.#wait(item);
  }

  fail(item: Item, reason: string): void {
    item.state = 'failed';
    item.reason = reason;
    this.failed.push(item);
  }

  counts(): Counts {
    return {
      files: this.#known.size,
      here: this.#here,
      failed: this.failed.length,
      bytes: this.#bytes,
      sent: this.#sent,
    };
  }

  get isThrough(): boolean {
    return this.#here + this.failed.filter((item) => item.number > 0).length >= this.#known.size;
  }

  #reached(item: Item, received: number): void {
    this.#sent += received - item.sent;
    item.sent = received;
    if (received < item.file.size) {
      this.#wait(item);
      return;
    }
    item.state = 'here';
    this.#here += 1;
  }

  #wait(item: Item): void {
    item.state = 'waiting';
    this.#again.push(item);
  }
}

/** How fast it goes, over the last seconds. */
export class Pace {
  readonly #window: number;
  #seen: { readonly at: number; readonly bytes: number }[] = [];

  constructor(windowMs = 8000) {
    this.#window = windowMs;
  }

  note(at: number, bytes: number): void {
    this.#seen.push({ at, bytes });
    while ((this.#seen[0]?.at ?? at) < at - this.#window) this.#seen.shift();
  }

  forget(): void {
    this.#seen = [];
  }

  /** Bytes a second; 0 while there is nothing to say. */
  rate(): number {
    const first = this.#seen[0];
    const last = this.#seen[this.#seen.length - 1];
    if (!first || !last || last.at - first.at < 1000) return 0;
    return ((last.bytes - first.bytes) * 1000) / (last.at - first.at);
  }
}

const UNITS = ['B', 'KB', 'MB', 'GB', 'TB'];

/** As the server's pages count: 1 KB is 1024 bytes. */
export function inBytes(bytes: number): string {
  let value = bytes;
  let unit = 0;
  while (value >= 1024 && unit < UNITS.length - 1) {
    value /= 1024;
    unit += 1;
  }
  return `${value < 10 && unit > 0 ? value.toFixed(1) : Math.round(value)} ${UNITS[unit]}`;
}

export function timeLeft(bytes: number, rate: number): string {
  if (rate <= 0 || bytes <= 0) return '';
  const seconds = bytes / rate;
  if (seconds < 60) return `${Math.max(1, Math.round(seconds))} s left`;
  if (seconds < 5400) return `${Math.round(seconds / 60)} min left`;
  return `${(seconds / 3600).toFixed(1)} h left`;
}

export const count = (number: number): string => number.toLocaleString('en-GB');
