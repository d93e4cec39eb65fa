/** The fixed parts of the cockpit: bar above the images, foot below, sheet at the right. */
import { clock, h, quiet, say } from './dom.ts';
import { type Draft, pending } from './draft.ts';
import type { Failure, ToolState } from './imaging/index.ts';
import type { Action } from './keys.ts';
import { RestHint } from './rest.ts';
import { Toolbar } from './toolbar.ts';
import type { Reading, RoomFacts, Sheet } from './wire.ts';

export interface BarEvents {
  layout(code: string): void;
  act(action: Action): void;
  help(): void;
  submit(): void;
  aside(): void;
  retrySave(): void;
  /** The hint to rest is put away. */
  rested(): void;
}

export class Bars {
  readonly root: HTMLElement;
  readonly images: HTMLElement;
  readonly list: HTMLElement;
  /** What the list scrolls in where it does not fit. */
  readonly scroller: HTMLElement;
  readonly comment: HTMLTextAreaElement;
  readonly submit: HTMLButtonElement;
  readonly sheet: HTMLElement;
  readonly #room: RoomFacts;
  readonly #events: BarEvents;
  readonly #label = h('h1', { class: 'case' });
  readonly #facts = h('span', { class: 'case-facts' });
  readonly #toolbar: Toolbar;
  readonly #head: HTMLElement;
  readonly #end: HTMLElement;
  readonly #title = h('h2', {});
  readonly #count = h('span', { class: 'count' });
  readonly #loading = h('span', { class: 'loading' });
  readonly #rest: RestHint;
  readonly #synthetic = h('span', { class: 'synthetic-word' });
  readonly #state = h('p', { class: 'save-state', role: 'status', 'aria-live': 'polite' });
  readonly #notice = h('p', { class: 'notice', role: 'alert' });
  readonly #failed = h('p', { class: 'failed', role: 'alert' });
  readonly #curtain = h('div', { class: 'curtain' });
  readonly #curtainText = h('p', { role: 'status' });

  constructor(root: HTMLElement, room: RoomFacts, events: BarEvents) {
    this.root = root;
    this.#room = room;
    this.#events = events;
    this.#rest = new RestHint(() => events.rested());
    this.#toolbar = new Toolbar(events);
    this.images = h(
      'section',
      { class: 'images', tabindex: 0, 'aria-label': 'Images. Arrow keys scroll, N goes to the next view.' },
      this.#curtain,
    );
    this.#curtain.append(this.#curtainText);
    this.images.append(this.#toolbar.menu);
    this.list = h('ol', { class: 'items' });
    this.scroller = h('div', { class: 'scroller', tabindex: -1 }, this.list);
    this.comment = h('textarea', {
      id: 'comment',
      rows: 1,
      maxlength: 2000,
      placeholder: 'Comment (C)',
      'aria-label': 'Comment',
      'aria-describedby': 'comment-note',
    });
    this.submit = h(
      'button',
      { type: 'button', class: 'primary submit', click: () => events.submit() },
      'Submit',
      h('kbd', {}, 'Enter'),
    );
    this.sheet = this.#sheetPart();
    this.#head = this.#bar();
    this.#end = this.#foot();
    root.replaceChildren(...this.parts, this.sheet);
  }

  #bar(): HTMLElement {
    return h(
      'header',
      { class: 'bar' },
      h('a', { class: 'home', href: this.#room.home_url, title: 'Back to the list of forms' }, 'Room'),
      this.#label,
      this.#facts,
      this.#toolbar.root,
    );
  }

  #foot(): HTMLElement {
    return h(
      'footer',
      { class: 'foot' },
      h('span', {}, 'not for diagnosis · research reading'),
      this.#synthetic,
      this.#loading,
      this.#rest.element,
      h('span', { class: 'digits-here' }, 'digits choose the window preset · F6 goes back to the sheet'),
      quiet('Keys (F1)', 'All keys (F1)', this.#events.help, { class: 'low' }),
    );
  }

  #sheetPart(): HTMLElement {
    return h(
      'aside',
      { class: 'sheet', 'aria-label': 'Grading sheet' },
      h('header', { class: 'bar' }, this.#title, this.#count),
      this.scroller,
      h(
        'footer',
        { class: 'sheet-end' },
        this.comment,
        h(
          'p',
          { id: 'comment-note', class: 'comment-note' },
          'Never analysed. Do not name anyone. Ctrl+Enter leaves.',
        ),
        this.#failed,
        this.#notice,
        this.#state,
        h(
          'div',
          { class: 'acts' },
          quiet('Set aside', 'Read this case at the end of the form', this.#events.aside, {
            class: 'low aside',
          }),
          this.submit,
        ),
      ),
    );
  }

  /** The new label comes first, before any picture. */
  announce(reading: Reading, sheet: Sheet): void {
    say(this.#label, `${reading.label} of ${reading.of}`);
    say(this.#awayLabel, `${reading.label} of ${reading.of}.`);
    const segment = reading.index_segment ?? reading.index_level ?? '';
    say(this.#facts, [sheet.modality === 'MR' ? 'MRI' : sheet.modality, segment].filter(Boolean).join(' · '));
    say(this.#title, sheet.title);
    say(this.#synthetic, reading.synthetic ? 'synthetic images' : '');
    this.#toolbar.announce(sheet, reading.stacks);
    this.notice('');
    this.root.dataset.reading = reading.id;
    this.root.dataset.label = reading.label;
  }

  tools(state: ToolState): void {
    this.#toolbar.show(state);
  }

  get jumping(): boolean {
    return this.#toolbar.jumping;
  }

  /** The list of places, open or not. */
  jumps(open: boolean): void {
    this.#toolbar.open(open);
  }

  /** What belongs to the images and goes with them to another window. */
  readonly #awayLabel = h('b', {});
  /** Stands in the place of the images while they are away. */
  readonly elsewhere = h(
    'p',
    { class: 'elsewhere' },
    this.#awayLabel,
    ' The images are in the second window; O brings them back. Not for diagnosis.',
  );

  get parts(): readonly HTMLElement[] {
    return [this.#head, this.images, this.#end];
  }

  apart(on: boolean): void {
    this.#toolbar.apart(on);
  }

  count(done: number, of: number): void {
    say(this.#count, `${done}/${of}`);
    this.#count.setAttribute('aria-label', `${done} of ${of} answered`);
    this.submit.classList.toggle('ready', done === of);
  }

  loading(loaded: number, of: number): void {
    say(this.#loading, of > 0 && loaded < of ? `loading ${loaded}/${of}` : '');
  }

  rest(minutes: number): void {
    this.#rest.show(minutes);
  }

  failures(failures: readonly Failure[]): void {
    const [first, ...others] = failures;
    const more = others.length > 0 ? ` and ${others.length} more` : '';
    const where = first ? `${first.stack.title} slice ${first.index + 1}${more}` : '';
    if (this.#failed.dataset.where === where) return;
    this.#failed.dataset.where = where;
    this.#failed.replaceChildren();
    if (!first) return;
    const again = quiet(
      'Try again (Y)',
      'Load the failed images again',
      () => this.#events.act({ kind: 'retry' }),
      { class: 'low' },
    );
    this.#failed.append(`${where} did not load. Submitting waits for it. `, again);
  }

  notice(sentence: string, signIn = false): void {
    this.#notice.replaceChildren(sentence);
    if (signIn) this.#notice.append(' ', this.#signIn());
  }

  #signIn(): HTMLElement {
    return h('a', { href: this.#room.signin_url, target: '_blank', rel: 'opener' }, 'Sign in in a new tab');
  }

  saveState(draft: Draft, someoneElse: boolean): void {
    const n = pending(draft);
    const texts: Readonly<Record<Draft['state'], string>> = {
      clean: draft.savedAt ? `saved ${clock(draft.savedAt)}` : 'no answer yet',
      dirty: 'saving',
      saving: 'saving',
      waiting: `waiting for the network (${n})`,
      signed_out: someoneElse
        ? `Someone else is signed in. ${n} unsaved, kept on this machine. Sign in as ${this.#room.user}.`
        : `You are signed out. ${n} unsaved, kept on this machine.`,
      refused: `not accepted: ${draft.faults[0]?.message ?? 'see the marked answers'}`,
      stale: 'conflict: two versions',
      blocked: `not saved: ${draft.reason} ${n} kept in this browser.`,
      gone: `closed elsewhere: ${n} kept in this browser`,
      locked: 'submitted',
    };
    this.root.dataset.saveState = draft.state;
    this.#state.dataset.saveState = draft.state;
    say(this.#state, texts[draft.state]);
    if (draft.state === 'signed_out') this.#state.append(' ', this.#signIn());
    if (draft.state === 'waiting' || draft.state === 'blocked') {
      this.#state.append(
        ' ',
        quiet('Try now', 'Send the answers now', this.#events.retrySave, { class: 'low' }),
      );
    }
  }

  /** Black over the images; a sentence only when there is something to wait for. */
  curtain(closed: boolean, sentence = ''): void {
    this.#curtain.classList.toggle('closed', closed);
    say(this.#curtainText, sentence);
    this.root.dataset.curtain = closed ? 'closed' : 'open';
  }
}
