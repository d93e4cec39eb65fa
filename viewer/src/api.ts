/** The only module that talks to the server. */
import type {
  Ahead,
  Closed,
  Content,
  Fault,
  Locked,
  Looked,
  Next,
  Received,
  RoomFacts,
  Saved,
  Stale,
  Times,
  Upload,
} from './wire.ts';

export type Outcome<T> =
  | { readonly kind: 'ok'; readonly body: T }
  | { readonly kind: 'stale'; readonly body: Stale }
  | { readonly kind: 'invalid'; readonly faults: readonly Fault[] }
  | { readonly kind: 'signed_out' }
  | { readonly kind: 'gone' }
  /** Not now, in the server's words: the study's state forbids it. Nobody's answer is in the way. */
  | { readonly kind: 'blocked'; readonly sentence: string }
  | { readonly kind: 'failed'; readonly sentence: string; readonly cutOff?: boolean };

const PATIENCE_MS = 15_000;

async function ask<T>(url: string, init: RequestInit, patience = PATIENCE_MS): Promise<Outcome<T>> {
  let response: Response;
  let body: unknown;
  try {
    const signal = AbortSignal.timeout(patience);
    response = await fetch(url, { ...init, credentials: 'same-origin', redirect: 'error', signal });
    body = await response.json().catch(() => null);
  } catch {
    return { kind: 'failed', sentence: 'The server cannot be reached.' };
  }
  if (response.ok) {
    return body === null
      ? { kind: 'failed', sentence: 'The answer was cut off.', cutOff: true }
      : { kind: 'ok', body: body as T };
  }
  return problem(response.status, (body ?? {}) as Problem);
}

interface Problem {
  readonly code?: string;
  readonly detail?: string;
  readonly faults?: readonly Fault[];
}

export function problem<T>(status: number, body: Problem): Outcome<T> {
  if (status === 401 || status === 403) return { kind: 'signed_out' };
  if (status === 404 || status === 410) return { kind: 'gone' };
  if (status === 409) {
    if (body.code === 'stale') return { kind: 'stale', body: body as unknown as Stale };
    return { kind: 'blocked', sentence: body.detail || 'The server does not take this now.' };
  }
  if (status === 422 || status === 400) return { kind: 'invalid', faults: body.faults ?? [] };
  return { kind: 'failed', sentence: body.detail ?? `The server answered ${status}.` };
}

export class Api {
  #csrf: string;
  readonly #room: RoomFacts;
  #ahead: Ahead | null = null;

  constructor(room: RoomFacts) {
    this.#room = room;
    this.#csrf = room.csrf;
  }

  next(): Promise<Outcome<Next>> {
    return this.#get(this.#room.next_url);
  }

  async upcoming(): Promise<Outcome<{ readonly reading: Ahead | null }>> {
    const outcome = await this.#get<{ readonly reading: Ahead | null }>(this.#room.upcoming_url);
    if (outcome.kind === 'ok') this.#ahead = outcome.body.reading;
    return outcome;
  }

  save(url: string, base: number, content: Content): Promise<Outcome<Saved>> {
    return this.#send('PUT', url, { base, ...content });
  }

  /** Its answer brings the next case along: nobody waits for a second one. */
  lock(url: string, base: number): Promise<Outcome<Locked>> {
    return this.#close(url, { base });
  }

  lookedAt(looked: Looked): Promise<Outcome<unknown>> {
    return this.#send('POST', this.#room.display_url, looked);
  }

  /** `leaving`: the page is being left, and the request outlives it. */
  times(url: string, times: Times, leaving: boolean): Promise<Outcome<unknown>> {
    return this.#send('POST', url, times, { keepalive: leaving });
  }

  prefer(habit: string): Promise<Outcome<unknown>> {
    return this.#send('PUT', this.#room.preferences_url, { habit });
  }

  setAside(url: string, reason: string): Promise<Outcome<Closed>> {
    return this.#close(url, { reason });
  }

  /** Images that are here already are told by their mark, and do not come a second time. */
  async #close<T extends Closed>(url: string, body: object): Promise<Outcome<T>> {
    const ahead = this.#ahead;
    const sent = { ...body, onward: true, ahead: ahead?.mark ?? '' };
    const outcome = await this.#send<T>('POST', url, sent);
    // It began to say yes: the case is closed. What was lost on the way, the next case, is asked for again.
    if (outcome.kind === 'failed' && outcome.cutOff) return { kind: 'ok', body: { next: null } as T };
    const next = outcome.kind === 'ok' ? outcome.body.next : null;
    if (outcome.kind !== 'ok' || !next?.reading?.as_ahead || !ahead) return outcome;
    const reading = { ...next.reading, stacks: ahead.stacks };
    return { kind: 'ok', body: { ...outcome.body, next: { ...next, reading } } };
  }

  /**
   * After a sign-in in another tab: take the new token from this same page, for the same user only.
   * Signing in rotates the token, so the one the page was opened with no longer counts.
   */
  async signedInAgain(): Promise<'yes' | 'no' | 'someone_else'> {
    try {
      const response = await fetch(location.pathname, {
        credentials: 'same-origin',
        headers: { Accept: 'text/html' },
        signal: AbortSignal.timeout(PATIENCE_MS),
      });
      if (!response.ok || response.redirected) return 'no';
      const page = new DOMParser().parseFromString(await response.text(), 'text/html');
      const island = page.getElementById('room')?.textContent;
      if (!island) return 'no';
      const facts = JSON.parse(island) as RoomFacts;
      if (facts.user !== this.#room.user) return 'someone_else';
      this.#csrf = facts.csrf;
      return 'yes';
    } catch {
      return 'no';
    }
  }

  #get<T>(url: string): Promise<Outcome<T>> {
    return ask(url, { headers: { Accept: 'application/json' }, cache: 'no-store' });
  }

  #send<T>(method: string, url: string, body: unknown, more: RequestInit = {}): Promise<Outcome<T>> {
    const headers = {
      Accept: 'application/json',
      'Content-Type': 'application/json',
      'X-CSRFToken': this.#csrf,
    };
    return ask(url, { ...more, method, headers, body: JSON.stringify(body) });
  }
}

/** A frame waits behind many others on a slow line; one that takes longer than this hangs. */
const FRAME_MS = 30_000;

/** A stored frame as it was coded, or the status that came instead; 0 where nothing came. */
export async function frameBytes(url: string, urgent: boolean): Promise<ArrayBuffer | number> {
  try {
    const response = await fetch(url, {
      credentials: 'same-origin',
      priority: urgent ? 'high' : 'low',
      signal: AbortSignal.timeout(FRAME_MS),
    });
    return response.ok ? await response.arrayBuffer() : response.status;
  } catch {
    return 0;
  }
}

// --- the coordinator's upload ---------------------------------------------------------------------------------------

const STALLED_MS = 60_000;
const SLOW_MS = 120_000;

/** Signing in again, in another tab, gives another token; the cookie always holds the one that counts. */
function token(): string {
  return /(?:^|; )csrftoken=([^;]*)/.exec(document.cookie)?.[1] ?? '';
}

export class UploadApi {
  readonly #url: string;

  constructor(url: string) {
    this.#url = url;
  }

  begin(): Promise<Outcome<Upload>> {
    return this.#post('', {});
  }

  state(id: string): Promise<Outcome<Upload>> {
    return ask(`${this.#url}${id}/upload`, { headers: { Accept: 'application/json' }, cache: 'no-store' });
  }

  announce(
    id: string,
    files: readonly (readonly [number, string])[],
  ): Promise<Outcome<{ readonly files: readonly (readonly [number, number, string])[] }>> {
    return this.#post(`${id}/files`, { files });
  }

  seal(id: string, onlyWhole: boolean): Promise<Outcome<Upload>> {
    return this.#post(`${id}/seal`, { only_whole: onlyWhole });
  }

  cancel(id: string): Promise<Outcome<Upload>> {
    return this.#post(`${id}/cancel`, {});
  }

  /** Send bytes of several files, one behind the other. XMLHttpRequest, because fetch does not tell how far it is. */
  bytes(
    id: string,
    parts: readonly string[],
    body: Blob,
    progress: (sent: number) => void,
    signal: AbortSignal,
  ): Promise<Outcome<{ readonly parts: readonly Received[] }>> {
    return new Promise((answer) => {
      const request = new XMLHttpRequest();
      let stalled = 0;
      const wait = () => {
        window.clearTimeout(stalled);
        stalled = window.setTimeout(() => request.abort(), STALLED_MS);
      };
      const failed = () => answer({ kind: 'failed', sentence: 'The server cannot be reached.' });
      request.open('POST', `${this.#url}${id}/bytes`);
      request.setRequestHeader('Content-Type', 'application/octet-stream');
      request.setRequestHeader('Accept', 'application/json');
      request.setRequestHeader('X-CSRFToken', token());
      request.setRequestHeader('Upload-Parts', parts.join(','));
      request.upload.onprogress = (event) => {
        wait();
        progress(event.loaded);
      };
      request.onload = () => answer(heard(request));
      request.onerror = failed;
      request.onabort = failed;
      const stop = () => request.abort();
      request.onloadend = () => {
        window.clearTimeout(stalled);
        signal.removeEventListener('abort', stop);
      };
      signal.addEventListener('abort', stop);
      wait();
      request.send(body);
    });
  }

  #post<T>(path: string, body: unknown): Promise<Outcome<T>> {
    const headers = {
      Accept: 'application/json',
      'Content-Type': 'application/json',
      'X-CSRFToken': token(),
    };
    return ask(this.#url + path, { method: 'POST', headers, body: JSON.stringify(body) }, SLOW_MS);
  }
}

function heard<T>(request: XMLHttpRequest): Outcome<T> {
  let body: unknown = null;
  try {
    body = JSON.parse(request.responseText);
  } catch {
    // a proxy's page, or an answer that was cut off
  }
  if (request.status >= 200 && request.status < 300 && body !== null) return { kind: 'ok', body: body as T };
  return problem(request.status, (body ?? {}) as Problem);
}

/** A piece of a server-rendered page, or null when it cannot be had just now. */
export async function fragment(url: string): Promise<string | null> {
  try {
    const response = await fetch(url, {
      credentials: 'same-origin',
      headers: { Accept: 'text/html', 'X-Requested-With': 'fetch' },
      cache: 'no-store',
      signal: AbortSignal.timeout(PATIENCE_MS),
    });
    return response.ok && !response.redirected ? await response.text() : null;
  } catch {
    return null;
  }
}

export type Submitted =
  | { readonly kind: 'page'; readonly page: string }
  | { readonly kind: 'refused'; readonly sentence: string }
  | { readonly kind: 'signed_out' };

/** Send a page's form as the browser would; what comes back is the page it leads to, or why not. */
export async function submit(url: string, body: URLSearchParams): Promise<Submitted> {
  try {
    const response = await fetch(url, {
      method: 'POST',
      body,
      credentials: 'same-origin',
      headers: { Accept: 'text/html' },
      signal: AbortSignal.timeout(PATIENCE_MS),
    });
    const page = await response.text();
    if (response.ok) {
      const home = new URL(response.url).pathname === new URL(url, location.href).pathname;
      return home ? { kind: 'page', page } : { kind: 'signed_out' };
    }
    const said = new DOMParser().parseFromString(page, 'text/html').querySelector('main p')?.textContent;
    return { kind: 'refused', sentence: said || `The server answered ${response.status}.` };
  } catch {
    return { kind: 'refused', sentence: 'The server cannot be reached. Nothing was changed.' };
  }
}
