/** Carries out what the draft machine decides: requests, timers, the copy in the browser. */
import type { Api } from './api.ts';
import { type Draft, type DraftEvent, type Effect, start, step } from './draft.ts';
import { forget, type Kept, remember } from './store.ts';
import type { Content, Reading, Saved } from './wire.ts';

const TYPING_PAUSE_MS = 800;
const SIGN_IN_CHECK_MS = 4000;

export interface SaverEvents {
  changed(draft: Draft, someoneElse: boolean): void;
  saved(result: Saved): void;
  /** The reading is not ours to write any more; what is unsent stays in the browser. */
  gone(): void;
}

export class Saver {
  draft: Draft;
  readonly #api: Api;
  readonly #user: string;
  readonly #reading: Reading;
  readonly #events: SaverEvents;
  #typing: number | undefined;
  #retry: number | undefined;
  #signIn: number | undefined;
  #someoneElse = false;
  #closed = false;
  /** Writes to the browser's store follow each other, so that a late one never brings back an old state. */
  #stored: Promise<unknown> = Promise.resolve();
  readonly #onOnline = () => this.#hear({ kind: 'retry' });
  readonly #onFocus = () => void this.#checkSignIn();

  constructor(api: Api, user: string, reading: Reading, kept: Kept | undefined, events: SaverEvents) {
    this.#api = api;
    this.#user = user;
    this.#reading = reading;
    this.#events = events;
    this.draft = start(kept?.base ?? reading.revision, reading.saved_at, kept?.queue ?? []);
    window.addEventListener('online', this.#onOnline);
    window.addEventListener('focus', this.#onFocus);
  }

  /** Begin; unsent documents of an earlier visit go out first. */
  begin(): void {
    this.#events.changed(this.draft, false);
    this.#hear({ kind: 'retry' });
  }

  change(content: Content, typing = false): void {
    window.clearTimeout(this.#typing);
    this.#hear({ kind: 'changed', content, typing });
    if (typing) this.#typing = window.setTimeout(() => this.flush(), TYPING_PAUSE_MS);
  }

  flush(): void {
    window.clearTimeout(this.#typing);
    this.#hear({ kind: 'flush' });
  }

  retryNow(): void {
    if (this.draft.state === 'signed_out') void this.#checkSignIn();
    else this.#hear({ kind: 'retry' });
  }

  choose(version: 'mine' | 'theirs'): void {
    this.#hear({ kind: 'choose', version });
  }

  /** The server acknowledged the lock asked for by this page. */
  locked(): void {
    this.#hear({ kind: 'locked' });
  }

  close(): void {
    this.#closed = true;
    for (const timer of [this.#typing, this.#retry, this.#signIn]) window.clearTimeout(timer);
    window.removeEventListener('online', this.#onOnline);
    window.removeEventListener('focus', this.#onFocus);
  }

  #hear(event: DraftEvent): void {
    if (this.#closed) return;
    const { draft, effects } = step(this.draft, event);
    const news = draft !== this.draft;
    this.draft = draft;
    for (const effect of effects) this.#carryOut(effect);
    if (news) this.#events.changed(draft, this.#someoneElse);
  }

  #carryOut(effect: Effect): void {
    switch (effect.kind) {
      case 'send':
        window.clearTimeout(this.#retry);
        void this.#send(effect.base, effect.content);
        return;
      case 'retry':
        this.#retry = window.setTimeout(() => this.#hear({ kind: 'retry' }), effect.inMs);
        return;
      case 'remember': {
        const { base, queue } = this.draft;
        this.#stored = this.#stored.then(() => remember(this.#user, this.#reading.id, { base, queue }));
        return;
      }
      case 'forget':
        this.#stored = this.#stored.then(() => forget(this.#user, this.#reading.id));
    }
  }

  async #send(base: number, content: Content): Promise<void> {
    const outcome = await this.#api.save(this.#reading.save_url, base, content);
    if (this.#closed) return;
    switch (outcome.kind) {
      case 'ok':
        this.#events.saved(outcome.body);
        this.#hear({ kind: 'acknowledged', revision: outcome.body.revision, savedAt: outcome.body.saved_at });
        return;
      case 'stale': {
        const { revision, answers, evidence, kept, saved_at } = outcome.body;
        const theirs = { answers, evidence: evidence ?? {}, kept: kept ?? [] };
        this.#hear({ kind: 'stale', theirs: { revision, savedAt: saved_at, content: theirs } });
        return;
      }
      case 'invalid':
        this.#hear({ kind: 'refused', faults: outcome.faults });
        return;
      case 'signed_out':
        this.#hear({ kind: 'signed_out' });
        this.#waitForSignIn();
        return;
      case 'gone':
        this.#hear({ kind: 'gone' });
        if (this.draft.state === 'gone') this.#events.gone();
        return;
      case 'blocked':
        this.#hear({ kind: 'blocked', sentence: outcome.sentence });
        return;
      case 'failed':
        this.#hear({ kind: 'failed' });
    }
  }

  #waitForSignIn(): void {
    window.clearTimeout(this.#signIn);
    this.#signIn = window.setTimeout(() => void this.#checkSignIn(), SIGN_IN_CHECK_MS);
  }

  async #checkSignIn(): Promise<void> {
    if (this.draft.state !== 'signed_out' || this.#closed) return;
    const answer = await this.#api.signedInAgain();
    this.#someoneElse = answer === 'someone_else';
    if (answer === 'yes') this.#hear({ kind: 'retry' });
    else {
      this.#events.changed(this.draft, this.#someoneElse);
      this.#waitForSignIn();
    }
  }
}
