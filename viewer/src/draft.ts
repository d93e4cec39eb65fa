/**
 * The save state machine: pure. `step` takes a draft and an event and gives the next draft and what is to be
 * done. Documents wait in order; only the first is ever in flight, always against the last known revision.
 */
import type { Content, Fault } from './wire.ts';

export type State =
  | 'clean' // the server has everything
  | 'dirty' // typing goes on; sent at the next pause
  | 'saving' // the first document is in flight
  | 'waiting' // the network or the server failed; a retry is due
  | 'signed_out' // the session ended; a retry follows the next sign-in
  | 'refused' // the server says the document is not valid
  | 'stale' // another tab or machine saved in between
  | 'blocked' // the server takes nothing now, whatever the document; slow retries
  | 'gone' // closed elsewhere; what is unsent stays in the browser
  | 'locked'; // submitted from this page: no further write

export interface Theirs {
  readonly revision: number;
  readonly savedAt: string | null;
  readonly content: Content;
}

export interface Draft {
  readonly state: State;
  readonly base: number;
  readonly savedAt: string | null;
  readonly queue: readonly Content[];
  /** The last document in the queue is text being typed and may still be replaced. */
  readonly typing: boolean;
  readonly attempts: number;
  readonly theirs: Theirs | null;
  readonly faults: readonly Fault[];
  /** Why the server takes nothing now; only in the state `blocked`. */
  readonly reason: string;
}

export type DraftEvent =
  | { readonly kind: 'changed'; readonly content: Content; readonly typing?: boolean }
  | { readonly kind: 'flush' }
  | { readonly kind: 'acknowledged'; readonly revision: number; readonly savedAt: string }
  | { readonly kind: 'failed' }
  | { readonly kind: 'signed_out' }
  | { readonly kind: 'retry' }
  | { readonly kind: 'refused'; readonly faults: readonly Fault[] }
  | { readonly kind: 'stale'; readonly theirs: Theirs }
  | { readonly kind: 'choose'; readonly version: 'mine' | 'theirs' }
  | { readonly kind: 'blocked'; readonly sentence: string }
  | { readonly kind: 'gone' }
  | { readonly kind: 'locked' };

export type Effect =
  | { readonly kind: 'send'; readonly base: number; readonly content: Content }
  | { readonly kind: 'retry'; readonly inMs: number }
  | { readonly kind: 'remember' }
  | { readonly kind: 'forget' };

export interface Step {
  readonly draft: Draft;
  readonly effects: readonly Effect[];
}

const LONGEST_WAIT_MS = 15_000;
const BLOCKED_WAIT_MS = 60_000;
const RETRIED: readonly State[] = ['waiting', 'signed_out', 'blocked'];

export const start = (base: number, savedAt: string | null, queue: readonly Content[] = []): Draft => ({
  state: queue.length > 0 ? 'waiting' : 'clean',
  base,
  savedAt,
  queue,
  typing: false,
  attempts: 0,
  theirs: null,
  faults: [],
  reason: '',
});

/** How many documents the server has not acknowledged. */
export const pending = (draft: Draft): number => draft.queue.length;

/** Equal as JSON whatever the order of keys. */
export function sameContent(a: unknown, b: unknown): boolean {
  return canonical(a) === canonical(b);
}

function canonical(value: unknown): string {
  return JSON.stringify(value, (_key, part: unknown) =>
    part !== null && typeof part === 'object' && !Array.isArray(part)
      ? Object.fromEntries(Object.entries(part).sort(([a], [b]) => (a < b ? -1 : 1)))
      : part,
  );
}

const stay = (draft: Draft): Step => ({ draft, effects: [] });

function send(draft: Draft, ...before: readonly Effect[]): Step {
  const content = draft.queue[0];
  if (!content)
    return { draft: { ...draft, state: 'clean', typing: false }, effects: [...before, { kind: 'forget' }] };
  const typing = draft.queue.length > 1 && draft.typing;
  return {
    draft: { ...draft, state: 'saving', typing, faults: [], reason: '' },
    effects: [...before, { kind: 'send', base: draft.base, content }],
  };
}

function changed(draft: Draft, content: Content, typing: boolean): Step {
  if (draft.state === 'locked') return stay(draft);
  // A refused document is replaced by its correction; text being typed by its newer state.
  const replaced = draft.state === 'refused' ? [] : draft.queue;
  const kept = draft.typing && typing ? replaced.slice(0, -1) : replaced;
  const queued: Draft = { ...draft, queue: [...kept, content], typing };
  const remember: Effect = { kind: 'remember' };
  if (draft.state === 'clean' || draft.state === 'dirty' || draft.state === 'refused') {
    return typing ? { draft: { ...queued, state: 'dirty' }, effects: [remember] } : send(queued, remember);
  }
  // A change is the reader at work: a good moment to ask again.
  if (draft.state === 'blocked' && !typing) return send(queued, remember);
  // Also before the choice between two versions: what is answered until then belongs to this page's own.
  return { draft: queued, effects: [remember] };
}

function acknowledged(draft: Draft, revision: number, savedAt: string | null): Step {
  if (draft.state !== 'saving') return stay(draft);
  const rest: Draft = {
    ...draft,
    base: revision,
    savedAt,
    queue: draft.queue.slice(1),
    attempts: 0,
    theirs: null,
  };
  return rest.queue.length > 0 ? send(rest, { kind: 'remember' }) : send(rest);
}

function stale(draft: Draft, theirs: Theirs): Step {
  // The answer to an earlier try got lost on the way: what the server has is what was being sent.
  if (sameContent(theirs.content, draft.queue[0]))
    return acknowledged(draft, theirs.revision, theirs.savedAt);
  return { draft: { ...draft, state: 'stale', theirs }, effects: [{ kind: 'remember' }] };
}

/** Both versions stay in the history: the one not chosen is written first. */
function choose(draft: Draft, version: 'mine' | 'theirs'): Step {
  const theirs = draft.theirs;
  if (draft.state !== 'stale' || !theirs) return stay(draft);
  const mine = draft.queue.slice(-1);
  const queue = version === 'mine' ? mine : [...mine, theirs.content];
  return send({ ...draft, base: theirs.revision, theirs: null, queue, typing: false }, { kind: 'remember' });
}

function refused(draft: Draft, faults: readonly Fault[]): Step {
  if (draft.state !== 'saving') return stay(draft);
  const rest = draft.queue.slice(1);
  if (rest.length > 0) return send({ ...draft, queue: rest, attempts: 0 }, { kind: 'remember' });
  return { draft: { ...draft, state: 'refused', typing: false, faults }, effects: [{ kind: 'remember' }] };
}

function flush(draft: Draft): Step {
  const due = draft.state === 'dirty' || (draft.state === 'blocked' && draft.typing);
  return due ? send(draft) : stay(draft);
}

function failed(draft: Draft): Step {
  const inMs = Math.min(LONGEST_WAIT_MS, 1000 * 2 ** draft.attempts);
  return {
    draft: { ...draft, state: 'waiting', attempts: draft.attempts + 1 },
    effects: [{ kind: 'retry', inMs }],
  };
}

const blocked = (draft: Draft, reason: string): Step => ({
  draft: { ...draft, state: 'blocked', reason },
  effects: [{ kind: 'retry', inMs: BLOCKED_WAIT_MS }],
});

/** Nothing was acknowledged: what is unsent waits in the browser until the reading is handed out again. */
const gone = (draft: Draft): Step => ({
  draft: { ...draft, state: 'gone' },
  effects: [{ kind: 'remember' }],
});

export function step(draft: Draft, event: DraftEvent): Step {
  switch (event.kind) {
    case 'changed':
      return changed(draft, event.content, event.typing === true);
    case 'flush':
      return flush(draft);
    case 'acknowledged':
      return acknowledged(draft, event.revision, event.savedAt);
    case 'failed':
      return draft.state === 'saving' ? failed(draft) : stay(draft);
    case 'signed_out':
      return draft.state === 'saving' ? stay({ ...draft, state: 'signed_out' }) : stay(draft);
    case 'retry':
      return RETRIED.includes(draft.state) ? send(draft) : stay(draft);
    case 'refused':
      return refused(draft, event.faults);
    case 'stale':
      return draft.state === 'saving' ? stale(draft, event.theirs) : stay(draft);
    case 'choose':
      return choose(draft, event.version);
    case 'blocked':
      return draft.state === 'saving' ? blocked(draft, event.sentence) : stay(draft);
    case 'gone':
      return draft.state === 'saving' ? gone(draft) : stay(draft);
    case 'locked':
      return {
        draft: { ...draft, state: 'locked', queue: [], typing: false },
        effects: [{ kind: 'forget' }],
      };
  }
}
