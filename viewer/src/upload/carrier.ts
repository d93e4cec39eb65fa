/** Carries the pieces: several requests at a time, waiting by itself while the network or the session is away. */
import type { Outcome, UploadApi } from '../api.ts';
import { pause } from '../dom.ts';
import { type Cargo, type Load, Pace } from './load.ts';

export type State =
  | 'running'
  | 'paused' // by the person
  | 'offline' // the network or the server is away; tried again by itself
  | 'signed_out' // goes on after a sign-in in another tab
  | 'waiting' // the server takes nothing now and says why
  | 'ended'; // cancelled, sealed elsewhere, or not this person's any more

const LANES = 3;
const SOONEST_MS = 1000;
const LATEST_MS = 15_000;

export class Carrier {
  readonly load: Load;
  readonly pace = new Pace();
  readonly id: string;
  state: State = 'running';
  sentence = '';
  /** What each lane has on its way, for the list of current files. */
  readonly lanes: ({ cargo: Cargo; sent: number } | null)[] = Array<null>(LANES).fill(null);
  readonly #api: UploadApi;
  readonly #changed: () => void;
  #more = true;
  #stop = new AbortController();
  #recovering = false;
  #wake: (() => void)[] = [];

  constructor(api: UploadApi, id: string, load: Load, changed: () => void) {
    this.#api = api;
    this.id = id;
    this.load = load;
    this.#changed = changed;
    window.addEventListener('online', this.wake);
  }

  /** Carry until everything that was added is through and `finish` was called, or until it has ended. */
  async run(): Promise<void> {
    await Promise.all(this.lanes.map((_, lane) => this.#carry(lane)));
    window.removeEventListener('online', this.wake);
  }

  /** More files will be added. */
  expectMore(): void {
    this.#more = true;
  }

  /** No more files will be added. */
  finish(): void {
    this.#more = false;
    this.wake();
  }

  readonly wake = (): void => {
    for (const awake of this.#wake.splice(0)) awake();
  };

  pause(): void {
    if (this.state !== 'running') return;
    this.#turn('paused', 'Paused. What was sent is kept.');
    this.#stop.abort();
  }

  resume(): void {
    if (this.state !== 'ended') this.#turn('running', '');
    this.wake();
  }

  end(sentence: string): void {
    this.#turn('ended', sentence);
    this.#stop.abort();
    this.wake();
  }

  /** How many bytes are on their way and not yet confirmed. */
  get flying(): number {
    return this.lanes.reduce((sum, lane) => sum + (lane?.sent ?? 0), 0);
  }

  #turn(state: State, sentence: string): void {
    this.state = state;
    this.sentence = sentence;
    this.pace.forget();
    if (state === 'running') this.#stop = new AbortController();
    this.#changed();
  }

  async #carry(lane: number): Promise<void> {
    while (this.state !== 'ended') {
      const cargo = this.state === 'running' ? this.load.next() : null;
      if (cargo) await this.#send(lane, cargo);
      else if (!this.#more && this.load.isThrough) return this.wake();
      else await new Promise<void>((awake) => this.#wake.push(awake));
    }
  }

  async #send(lane: number, cargo: Cargo): Promise<void> {
    const on = { cargo, sent: 0 };
    this.lanes[lane] = on;
    const parts = cargo.parts.map((part) => `${part.item.number}:${part.offset}:${part.size}`);
    const body = new Blob(
      cargo.parts.map((part) => part.item.file.slice(part.offset, part.offset + part.size)),
    );
    const told = (sent: number) => {
      on.sent = Math.min(sent, cargo.size);
    };
    const outcome = await this.#api.bytes(this.id, parts, body, told, this.#stop.signal);
    this.lanes[lane] = null;
    if (outcome.kind === 'ok') {
      this.load.settle(cargo, outcome.body.parts);
      this.wake();
    } else {
      await this.#broken(cargo, outcome);
    }
  }

  async #broken(cargo: Cargo, outcome: Exclude<Outcome<unknown>, { kind: 'ok' }>): Promise<void> {
    if (this.state === 'running') await this.#setAsideUnreadable(cargo);
    this.load.giveBack(cargo);
    if (this.state === 'running') {
      if (outcome.kind === 'gone') {
        this.end('This upload is no longer there for you. Reload the page to see what came in.');
      } else if (outcome.kind === 'blocked') {
        this.end(`${outcome.sentence} Reload the page to begin another upload.`);
      } else if (outcome.kind === 'invalid') {
        this.end('The server did not understand this page. Reload it; what was sent is kept.');
      } else if (outcome.kind === 'signed_out') {
        this.#turn('signed_out', 'You are signed out. Sign in in another tab; then this goes on by itself.');
      } else if (outcome.kind === 'failed' && outcome.sentence !== UNREACHED) {
        this.#turn('waiting', `${outcome.sentence} Trying again by itself.`);
      } else {
        this.#turn('offline', 'The connection is lost. What was sent is kept; this goes on by itself.');
      }
    }
    void this.#recover();
    this.wake();
  }

  /** A file that was changed or taken away since it was chosen fails like the network does; ask the disk. */
  async #setAsideUnreadable(cargo: Cargo): Promise<void> {
    for (const { item } of cargo.parts) {
      try {
        await item.file.slice(0, 1).arrayBuffer();
      } catch {
        this.load.fail(item, 'The file was changed or taken away since it was chosen; choose it again.');
      }
    }
  }

  async #recover(): Promise<void> {
    if (this.#recovering) return;
    this.#recovering = true;
    const away = () => this.state === 'offline' || this.state === 'signed_out' || this.state === 'waiting';
    for (let wait = SOONEST_MS; away(); wait = Math.min(2 * wait, LATEST_MS)) {
      await Promise.race([pause(wait), new Promise<void>((awake) => this.#wake.push(awake))]);
      if (!away()) break;
      const outcome = await this.#api.state(this.id);
      if (outcome.kind === 'ok') this.resume();
      else if (outcome.kind === 'gone') this.end('This upload is no longer there for you. Reload the page.');
      else if (outcome.kind === 'signed_out' && this.state === 'offline') {
        this.#turn('signed_out', 'You are signed out. Sign in in another tab; then this goes on by itself.');
      }
    }
    this.#recovering = false;
  }
}

export const UNREACHED = 'The server cannot be reached.';
