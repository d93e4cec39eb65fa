/**
 * When a reading was seen and worked on, told to the server and to nobody else: opened, first image, first input, each
 * answer, a minute without input, hidden, submitted. Sent now and then; what does not arrive is kept and sent later.
 */
import type { Api } from './api.ts';
import { dropTimes, forgetTimes, keptTimes, rememberTimes } from './store.ts';
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
  #kept: Promise<unknown> = Promise.resolve();
  /** Visits that are closed here and on their way. */
  readonly #ending = new Set<string>();
  /** Something kept has not arrived. */
  #owing = false;
  #sendingKept = false;

  constructor(api: Api, user: string) {
    this.#api = api;
    this.#user = user;
    this.watch(document);
    window.setInterval(() => this.#look(), LOOK_MS);
    window.setInterval(() => this.#sendDue(), SEND_MS);
    window.addEventListener('online', () => this.#sendDue());
    window.addEventListener('pagehide', () => {
      this.#tell('left');
      if (this.#visit) void this.#finish(this.#visit);
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
    this.#tell(kind);
    const visit = this.#visit;
    this.#visit = null;
    if (visit) void this.#finish(visit);
  }

  #tell(kind: MomentKind, cell = '', at = Date.now()): void {
    if (!this.#visit) return;
    const { told } = this.#visit;
    this.#visit = { ...this.#visit, told: [...told, { number: this.#number, kind, cell, at }] };
    this.#number += 1;
  }

  #input(begun: boolean): void {
    // No timer runs while the machine sleeps: what wakes it ends a stretch that nobody has noticed yet.
    this.#look();
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

  #sendDue(): void {
    void this.#send();
    if (this.#owing) void this.#sendKept();
  }

  async #send(): Promise<void> {
    const visit = this.#visit;
    if (!visit || visit.told.length === 0 || this.#sending) return;
    this.#sending = true;
    const part = { ...visit, told: visit.told.slice(0, MOST) };
    const arrived = await this.#arrives(part, false);
    this.#sending = false;
    // Closed meanwhile, it is kept and sent as a whole: what the server has already, it does not keep twice.
    if (this.#visit?.visit !== visit.visit) return;
    if (arrived) this.#visit = without(this.#visit, part);
    await this.#keep(this.#visit, !arrived);
  }

  /** Keep a whole visit, then send it to its end. The page may be gone before that: another one goes on from what is kept. */
  async #finish(visit: Visit): Promise<void> {
    this.#ending.add(visit.visit);
    void this.#keep(visit, true);
    await this.#sendWhole(visit, true);
    this.#ending.delete(visit.visit);
  }

  async #sendWhole(visit: Visit, leaving: boolean): Promise<void> {
    let rest = visit;
    while (rest.told.length > 0) {
      const part = { ...rest, told: rest.told.slice(0, MOST) };
      if (!(await this.#arrives(part, leaving))) break;
      rest = without(rest, part);
    }
    if (rest.told.length > 0) this.#owing = true;
    await this.#keep(rest, rest.told.length > 0);
  }

  /** One change of what is kept after the other, or an early one could undo a later one. */
  #keep(visit: Visit, waits: boolean): Promise<unknown> {
    const act = () => (waits ? rememberTimes(this.#user, visit) : forgetTimes(this.#user, visit.visit));
    this.#kept = this.#kept.then(act);
    return this.#kept;
  }

  /** True when the server has it, or will never take it. */
  async #arrives({ visit, url, told }: Visit, leaving: boolean): Promise<boolean> {
    const now = Date.now();
    const moments = told.map(({ at, ...one }) => ({ ...one, ago_ms: Math.max(0, now - at) }));
    const outcome = await this.#api.times(url, { visit, moments }, leaving);
    return outcome.kind !== 'failed' && outcome.kind !== 'signed_out';
  }

  /** What an earlier page, or this one, could not send; what is on its way here is left to itself. */
  async #sendKept(): Promise<void> {
    if (this.#sendingKept) return;
    this.#sendingKept = true;
    this.#owing = false;
    await this.#kept;
    for (const kept of await keptTimes(this.#user)) {
      const here = kept.visit === this.#visit?.visit || this.#ending.has(kept.visit);
      if (!here) await this.#sendKeptVisit(kept);
    }
    this.#sendingKept = false;
  }

  /** Another window may have this visit open: only what has arrived is taken out, and nothing is written back. */
  async #sendKeptVisit(kept: Visit): Promise<void> {
    for (let from = 0; from < kept.told.length; from += MOST) {
      const told = kept.told.slice(from, from + MOST);
      if (!(await this.#arrives({ ...kept, told }, false))) {
        this.#owing = true;
        return;
      }
      await dropTimes(this.#user, kept.visit, new Set(told.map(({ number }) => number)));
    }
  }
}

function without(visit: Visit, part: Visit): Visit {
  const known = new Set(part.told.map(({ number }) => number));
  return { ...visit, told: visit.told.filter(({ number }) => !known.has(number)) };
}
