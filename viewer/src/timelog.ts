/**
 * When a reading was seen and worked on, told to the server and to nobody else: opened, first image, first input, each
 * answer, a minute without input, hidden, submitted. Sent now and then; what does not arrive is kept and sent later.
 */
import type { Api } from './api.ts';
import { forgetTimes, keptTimes, rememberTimes } from './store.ts';
import type { MomentKind, Reading } from './wire.ts';

/** Without input for so long, nobody is at work. */
const IDLE_MS = 60_000;
const LOOK_MS = 5000;
const SEND_MS = 15_000;
/** The server takes no more at once. */
const MOST = 500;

export interface Told {
  readonly number: number;
  readonly kind: MomentKind;
  readonly cell: string;
  /** By this machine's clock; it leaves as an age. */
  readonly at: number;
}

/** One page on which one reading was open. */
export interface Visit {
  readonly visit: string;
  readonly url: string;
  readonly told: readonly Told[];
}

export class TimeLog {
  readonly #api: Api;
  readonly #user: string;
  #visit: Visit | null = null;
  #number = 0;
  #idle = false;
  #touched = false;
  #pictured = false;
  #hidden = false;
  #lastInput = Date.now();
  #pages: readonly Document[] = [];
  #sending = false;

  constructor(api: Api, user: string) {
    this.#api = api;
    this.#user = user;
    this.watch(document);
    window.setInterval(() => this.#look(), LOOK_MS);
    window.setInterval(() => void this.#send(), SEND_MS);
    window.addEventListener('pagehide', () => {
      this.#tell('left');
      void this.#send(true);
    });
    void this.#sendKept();
  }

  /** Input and visibility of a page count; the second window's as well. */
  watch(page: Document): void {
    this.#pages = [...this.#pages.filter(({ defaultView }) => defaultView !== null), page];
    const options = { passive: true, capture: true };
    for (const kind of ['keydown', 'pointerdown', 'wheel']) {
      page.addEventListener(kind, () => this.#input(true), options);
    }
    page.addEventListener('pointermove', () => this.#input(false), options);
    page.addEventListener('visibilitychange', () => this.#seen());
  }

  open({ times_url: url }: Reading): void {
    this.close();
    if (!url) return;
    this.#visit = { visit: crypto.randomUUID(), url, told: [] };
    this.#number = 0;
    this.#touched = false;
    this.#pictured = false;
    this.#idle = false;
    this.#hidden = false;
    this.#lastInput = Date.now();
    this.#tell('opened');
    this.#seen();
  }

  firstImage(): void {
    if (!this.#pictured) this.#tell('first_image');
    this.#pictured = true;
  }

  answered(cell: string): void {
    this.#tell('answer', cell);
  }

  /** The reading is not open here any more. */
  close(kind: 'submit' | 'left' = 'left'): void {
    if (!this.#visit) return;
    this.#tell(kind);
    void this.#send();
    this.#visit = null;
  }

  #tell(kind: MomentKind, cell = '', at = Date.now()): void {
    if (!this.#visit) return;
    const { told } = this.#visit;
    this.#visit = { ...this.#visit, told: [...told, { number: this.#number, kind, cell, at }] };
    this.#number += 1;
  }

  #input(begun: boolean): void {
    this.#lastInput = Date.now();
    if (this.#idle) this.#tell('back');
    this.#idle = false;
    if (begun && !this.#touched) {
      this.#touched = true;
      this.#tell('first_input');
    }
  }

  #look(): void {
    if (this.#idle || Date.now() - this.#lastInput < IDLE_MS) return;
    this.#idle = true;
    this.#tell('idle', '', this.#lastInput + IDLE_MS);
  }

  /** Hidden is what no window shows. */
  #seen(): void {
    const hidden = this.#pages.every((page) => page.defaultView === null || page.hidden);
    if (hidden === this.#hidden) return;
    this.#hidden = hidden;
    this.#look();
    this.#tell(hidden ? 'hidden' : 'visible');
  }

  async #send(leaving = false): Promise<void> {
    const visit = this.#visit;
    if (!visit || visit.told.length === 0 || (this.#sending && !leaving)) return;
    this.#sending = true;
    const part = { ...visit, told: visit.told.slice(0, MOST) };
    const arrived = await this.#sendPart(part, leaving);
    this.#sending = false;
    const known = new Set(part.told.map(({ number }) => number));
    if (arrived && this.#visit?.visit === visit.visit) {
      this.#visit = { ...this.#visit, told: this.#visit.told.filter(({ number }) => !known.has(number)) };
    }
  }

  /** True when the server has it, or will never take it. */
  async #sendPart({ visit, url, told }: Visit, leaving: boolean): Promise<boolean> {
    const now = Date.now();
    const moments = told.map(({ at, ...one }) => ({ ...one, ago_ms: Math.max(0, now - at) }));
    const outcome = await this.#api.times(url, { visit, moments }, leaving);
    const waits = outcome.kind === 'failed' || outcome.kind === 'signed_out';
    if (waits) await rememberTimes(this.#user, { visit, url, told });
    else await forgetTimes(this.#user, visit);
    return !waits;
  }

  /** What an earlier page could not send. What the server has already, it does not keep twice. */
  async #sendKept(): Promise<void> {
    for (const kept of await keptTimes(this.#user)) await this.#sendPart(kept, false);
  }
}
