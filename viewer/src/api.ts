/** The only module that talks to the server. */
import type { Content, Fault, Next, RoomFacts, Saved, Stack, Stale } from './wire.ts';

export type Outcome<T> =
  | { readonly kind: 'ok'; readonly body: T }
  | { readonly kind: 'stale'; readonly body: Stale }
  | { readonly kind: 'invalid'; readonly faults: readonly Fault[] }
  | { readonly kind: 'signed_out' }
  | { readonly kind: 'gone' }
  /** Not now, in the server's words: the study's state forbids it. Nobody's answer is in the way. */
  | { readonly kind: 'blocked'; readonly sentence: string }
  | { readonly kind: 'failed'; readonly sentence: string };

const PATIENCE_MS = 15_000;

async function ask<T>(url: string, init: RequestInit): Promise<Outcome<T>> {
  let response: Response;
  let body: unknown;
  try {
    const signal = AbortSignal.timeout(PATIENCE_MS);
    response = await fetch(url, { ...init, credentials: 'same-origin', redirect: 'error', signal });
    body = await response.json().catch(() => null);
  } catch {
    return { kind: 'failed', sentence: 'The server cannot be reached.' };
  }
  if (response.ok) {
    return body === null
      ? { kind: 'failed', sentence: 'The answer was cut off.' }
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

  constructor(room: RoomFacts) {
    this.#room = room;
    this.#csrf = room.csrf;
  }

  next(): Promise<Outcome<Next>> {
    return this.#get(this.#room.next_url);
  }

  upcoming(): Promise<Outcome<{ readonly reading: { readonly stacks: readonly Stack[] } | null }>> {
    return this.#get(this.#room.upcoming_url);
  }

  save(url: string, base: number, content: Content): Promise<Outcome<Saved>> {
    return this.#send('PUT', url, { base, ...content });
  }

  lock(url: string, base: number): Promise<Outcome<{ readonly locked: boolean }>> {
    return this.#send('POST', url, { base });
  }

  setAside(url: string, reason: string): Promise<Outcome<unknown>> {
    return this.#send('POST', url, { reason });
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

  #send<T>(method: string, url: string, body: unknown): Promise<Outcome<T>> {
    const headers = {
      Accept: 'application/json',
      'Content-Type': 'application/json',
      'X-CSRFToken': this.#csrf,
    };
    return ask(url, { method, headers, body: JSON.stringify(body) });
  }
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
