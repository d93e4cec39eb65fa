/** The fixed parts of the cockpit: bar above the images, foot below, sheet at the right. */
import { clock, h, say } from './dom.ts';
import { type Draft, pending } from './draft.ts';
import type { Failure, ToolState } from './imaging/index.ts';
import type { Action, Tool } from './keys.ts';
import type { Layout, Preset, Reading, RoomFacts, Sheet } from './wire.ts';

export interface BarEvents {
  layout(code: string): void;
  act(action: Action): void;
  help(): void;
  submit(): void;
  aside(): void;
  retrySave(): void;
}

const TOOLS: readonly (readonly [Tool, string, string])[] = [
  ['window', 'W/L', 'Window: drag with the left button (W)'],
  ['zoom', 'Zoom', 'Zoom: drag with the left button (Z)'],
  ['pan', 'Pan', 'Pan: drag with the left button (P)'],
  ['length', 'Length', 'Length in mm (L)'],
  ['angle', 'Angle', 'Angle in degrees: three points (A)'],
  ['ellipse', 'Ellipse', 'Ellipse: mean, SD and area; HU on CT (E)'],
  ['point', 'Value', 'Value at a point; HU on CT (D)'],
  ['arrow', 'Arrow', 'Arrow with a letter (Q)'],
  ['slip', 'Slip', 'Three-point slip on a sagittal slice (S)'],
];

/** Longer titles than this stand in a list instead of a row of buttons. */
const MOST_LAYOUT_LETTERS = 28;

/** A button that never takes the keyboard away from where it is. */
function quiet(
  label: string,
  title: string,
  act: () => void,
  more: Readonly<Record<string, string>> = {},
): HTMLButtonElement {
  const button = h('button', { type: 'button', title, click: act, ...more }, label);
  button.addEventListener('mousedown', (event) => event.preventDefault());
  return button;
}

export class Bars {
  readonly root: HTMLElement;
  readonly images: HTMLElement;
  readonly list: HTMLElement;
  readonly comment: HTMLTextAreaElement;
  readonly submit: HTMLButtonElement;
  readonly sheet: HTMLElement;
  readonly #room: RoomFacts;
  readonly #events: BarEvents;
  readonly #label = h('h1', { class: 'case' });
  readonly #facts = h('span', { class: 'case-facts' });
  readonly #layouts = h('div', { class: 'group', role: 'group', 'aria-label': 'Layout' });
  readonly #tools = h('div', { class: 'group', role: 'group', 'aria-label': 'Left button' });
  readonly #presets = h('select', { 'aria-label': 'Window preset', title: 'Window preset (Shift+digit)' });
  readonly #link: HTMLButtonElement;
  readonly #title = h('h2', {});
  readonly #count = h('span', { class: 'count' });
  readonly #loading = h('span', { class: 'loading' });
  readonly #rest = h('span', { class: 'rest' });
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
    this.#link = quiet('Link', 'Linked scrolling (X)', () => events.act({ kind: 'link', offset: false }));
    this.images = h(
      'section',
      { class: 'images', tabindex: 0, 'aria-label': 'Images. Arrow keys scroll, N goes to the next view.' },
      this.#curtain,
    );
    this.#curtain.append(this.#curtainText);
    this.list = h('ol', { class: 'items' });
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
    root.replaceChildren(this.#bar(), this.images, this.#foot(), this.sheet);
    this.#presets.addEventListener('change', () => {
      events.act({ kind: 'preset', key: this.#presets.value });
      this.#presets.selectedIndex = 0;
      this.#presets.blur();
    });
  }

  #bar(): HTMLElement {
    const does = (kind: 'full' | 'invert' | 'reset') => () => this.#events.act({ kind });
    return h(
      'header',
      { class: 'bar' },
      h('a', { class: 'home', href: this.#room.home_url, title: 'Back to the list of forms' }, 'Room'),
      this.#label,
      this.#facts,
      h(
        'div',
        { class: 'tools', role: 'toolbar', 'aria-label': 'Image tools' },
        this.#layouts,
        this.#tools,
        h(
          'div',
          { class: 'group', role: 'group', 'aria-label': 'Active view' },
          quiet('Full', 'Active view to full size and back (F)', does('full')),
          quiet('Invert', 'Invert (I)', does('invert')),
          quiet('Reset', 'Window, zoom and place as at the start; marks stay (R)', does('reset')),
          this.#presets,
        ),
        h('div', { class: 'group' }, this.#link),
      ),
    );
  }

  #foot(): HTMLElement {
    return h(
      'footer',
      { class: 'foot' },
      h('span', {}, 'not for diagnosis · research reading'),
      this.#synthetic,
      this.#loading,
      this.#rest,
      h('span', { class: 'digits-here' }, 'digits choose the window preset · F6 goes back to the sheet'),
      quiet('Keys (F1)', 'All keys (F1)', this.#events.help, { class: 'low' }),
    );
  }

  #sheetPart(): HTMLElement {
    return h(
      'aside',
      { class: 'sheet', 'aria-label': 'Grading sheet' },
      h('header', { class: 'bar' }, this.#title, this.#count),
      h('div', { class: 'scroller', tabindex: -1 }, this.list),
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
    const segment = reading.index_segment ?? reading.index_level ?? '';
    say(this.#facts, [sheet.modality === 'MR' ? 'MRI' : sheet.modality, segment].filter(Boolean).join(' · '));
    say(this.#title, sheet.title);
    say(this.#synthetic, reading.synthetic ? 'synthetic images' : '');
    this.#layoutButtons(sheet.layouts);
    this.#presetOptions(sheet.presets);
    this.notice('');
    this.root.dataset.reading = reading.id;
    this.root.dataset.label = reading.label;
  }

  /** Buttons while they fit, a list otherwise. */
  #layoutButtons(layouts: readonly Layout[]): void {
    const room = layouts.reduce((sum, layout) => sum + layout.title.length, 0);
    if (room > MOST_LAYOUT_LETTERS) this.#layouts.replaceChildren(this.#layoutList(layouts));
    else {
      this.#layouts.replaceChildren(
        ...layouts.map((layout) =>
          quiet(
            layout.title.replace(' x ', '×'),
            `Layout ${layout.title} (V: next)`,
            () => this.#events.layout(layout.code),
            { 'data-layout': layout.code },
          ),
        ),
      );
    }
    this.#tools.replaceChildren(
      ...TOOLS.map(([tool, label, title]) =>
        quiet(label, title, () => this.#events.act({ kind: 'tool', tool }), { 'data-tool': tool }),
      ),
    );
  }

  #layoutList(layouts: readonly Layout[]): HTMLSelectElement {
    const list = h('select', { class: 'layouts', 'aria-label': 'Layout', title: 'Layout (V: next)' });
    list.append(...layouts.map((layout) => new Option(layout.title, layout.code)));
    list.addEventListener('change', () => {
      this.#events.layout(list.value);
      list.blur();
    });
    return list;
  }

  #presetOptions(presets: readonly Preset[]): void {
    const options = presets.map((preset) => new Option(`${preset.key}  ${preset.title}`, preset.key));
    this.#presets.replaceChildren(new Option('Window', '', true, true), ...options);
  }

  tools(state: ToolState): void {
    const list = this.#layouts.querySelector('select');
    if (list) list.value = state.layout;
    for (const button of this.#layouts.querySelectorAll<HTMLElement>('button')) {
      button.setAttribute('aria-pressed', String(button.dataset.layout === state.layout));
    }
    for (const button of this.#tools.querySelectorAll<HTMLElement>('button')) {
      button.setAttribute('aria-pressed', String(button.dataset.tool === state.tool));
    }
    this.#link.setAttribute('aria-pressed', String(state.linked));
    say(this.#link, state.linked ? (state.offset ? 'Link on ±' : 'Link on') : 'Link off');
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
    say(this.#rest, minutes >= 50 ? `${minutes} minutes without a break` : '');
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
