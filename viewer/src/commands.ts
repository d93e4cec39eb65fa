/** Keys and buttons to what they do: one place that knows sheet, images and dialogs together. */
import type { Answering } from './answering.ts';
import type { Bars } from './bars.ts';
import { dialogOpen } from './dialogs.ts';
import { SUBMIT } from './grading.ts';
import type { Images } from './imaging/index.ts';
import { type Action, type Context, resolve } from './keys.ts';
import type { Submission } from './submission.ts';

/** After these the keyboard is at work on the sheet, and no mark is chosen any more. */
const OF_THE_SHEET: ReadonlySet<Action['kind']> = new Set([
  'cap',
  'move',
  'step',
  'across',
  'accept',
  'unassessable',
  'clear',
]);

type Verbs<On> = Readonly<Partial<Record<Action['kind'], (on: On) => void>>>;

const ON_SHEET: Verbs<Answering> = {
  clear: (answering) => answering.clear(),
  unassessable: (answering) => answering.unassessable(),
  criteria: (answering) => answering.criteria(),
  keep: (answering) => answering.keepHere(),
  undo: (answering) => answering.undo(),
  redo: (answering) => answering.redo(),
  pin: (answering) => answering.pin(),
  see_pin: (answering) => answering.seePin(),
  unpin: (answering) => answering.unpin(),
};

const ON_IMAGES: Verbs<Images> = {
  lens: ({ tools }) => tools.lens(),
  full: (images) => images.full(),
  layout: (images) => images.nextLayout(),
  view: (images) => images.nextView(),
  invert: (images) => images.invert(),
  reset: (images) => images.reset(),
  overlays: (images) => images.overlays(),
  middle: (images) => images.middle(),
  remove_mark: ({ tools }) => tools.removeMark(),
  retry: (images) => images.retry(),
  set_cursor: ({ tools }) => tools.keys.set(),
};

export class Commands {
  readonly #bars: Bars;
  readonly #answering: Answering;
  readonly #submission: Submission;
  readonly #images: () => Images | null;
  readonly #second: () => void;
  readonly #help: () => void;

  constructor(
    bars: Bars,
    answering: Answering,
    submission: Submission,
    images: () => Images | null,
    second: () => void,
    help: () => void,
  ) {
    this.#bars = bars;
    this.#answering = answering;
    this.#submission = submission;
    this.#images = images;
    this.#second = second;
    this.#help = help;
    this.listen(document);
    for (const kind of ['pointerdown', 'input']) {
      bars.sheet.addEventListener(kind, () => this.#images()?.tools.release());
    }
  }

  /** Keys of a page; the second window's go the same way. */
  listen(page: Document): void {
    page.addEventListener('keydown', (event) => {
      this.#onKey(event);
      // A question stands on the sheet's window, and its answer is given there.
      if (page !== document && dialogOpen()) window.focus();
    });
    page.addEventListener('keyup', (event) => {
      if (event.code === 'KeyG' || event.key === 'g') this.#images()?.tools.lensUp();
    });
  }

  /** `page` is where the key was pressed; the sheet, and what is typed into it, are always on this one. */
  #context(page: Document): Context {
    const active = document.activeElement;
    const field = active instanceof HTMLInputElement ? active : null;
    const writing = active instanceof HTMLTextAreaElement || field?.classList.contains('note-text') === true;
    const writes = writing && page === document;
    const counts = field?.classList.contains('typed-number') === true;
    return {
      region: this.#bars.images.contains(page.activeElement) ? 'images' : 'sheet',
      typing: writes ? 'text' : counts ? 'number' : 'none',
      mode: this.#answering.state?.mode ?? 'grade',
      caps: this.#answering.caps(),
      marked: this.#images()?.tools.marked ?? false,
      pointing: this.#images()?.tools.keys.pointing ?? false,
      jumping: this.#bars.jumping,
      criteria: this.#answering.state?.criteria ?? false,
    };
  }

  #onKey(event: KeyboardEvent): void {
    const page = event.view?.document ?? document;
    if (dialogOpen() || !this.#answering.state || event.isComposing) return;
    if (answersItself(page.activeElement, event.key)) return;
    const { key, code, shiftKey: shift, altKey: alt } = event;
    const action = resolve(
      { key, code, shift, alt, ctrl: event.ctrlKey || event.metaKey },
      this.#context(page),
    );
    if (!action && page !== document) typeInto(document.activeElement, event);
    if (!action || (key === 'Tab' && !this.#tabIsOurs(page, shift))) return;
    event.preventDefault();
    if (OF_THE_SHEET.has(action.kind)) this.#images()?.tools.release();
    if (event.repeat && action.kind === 'lens') return;
    if (action.kind !== 'jumps') this.#bars.jumps(false);
    this.act(action);
  }

  /** Tab walks the cells, and leaves the sheet at its two ends as everywhere else. The second window has none. */
  #tabIsOurs(page: Document, back: boolean): boolean {
    if (page !== document || !this.#bars.list.contains(document.activeElement)) return false;
    return !(back && this.#answering.atStart());
  }

  act(action: Action): void {
    const plain = ON_SHEET[action.kind];
    if (plain) plain(this.#answering);
    else if (action.kind === 'cap') this.#answering.cap(action.cap);
    else if (action.kind === 'move') this.#answering.move(action.by);
    else if (action.kind === 'step') this.#answering.step(action.by);
    else if (action.kind === 'across') this.#answering.across(action.by);
    else if (action.kind === 'closer') this.#answering.closer(action.by);
    else if (action.kind === 'leaf') this.#answering.leaf(action.by);
    else this.#actOnPage(action);
  }

  #actOnPage(action: Action): void {
    switch (action.kind) {
      case 'accept':
        this.#accept();
        return;
      case 'escape':
        this.#escape();
        return;
      case 'comment':
        this.#bars.comment.focus();
        return;
      case 'leave_comment':
        this.#bars.comment.blur();
        this.#answering.takeFocus();
        return;
      case 'region':
        this.#switchRegion();
        return;
      case 'help':
        this.#help();
        return;
      case 'jumps':
        this.#bars.jumps(!this.#bars.jumping);
        return;
      case 'leave_jumps':
        this.#bars.jumps(false);
        return;
      case 'second':
        this.#second();
        return;
      default: {
        const images = this.#images();
        if (images) actOnImages(images, action);
      }
    }
  }

  #accept(): void {
    if (!this.#answering.settleNumber()) return;
    if (this.#answering.state?.focus === SUBMIT) this.#submission.ask();
    else this.#answering.move(1);
    this.#answering.refocus();
  }

  #escape(): void {
    if (document.activeElement === this.#bars.comment) {
      this.#bars.comment.blur();
      this.#answering.takeFocus();
    } else if (!this.#answering.leaveReason()) this.#images()?.escape();
  }

  #switchRegion(): void {
    const { images } = this.#bars;
    if (images.contains(images.ownerDocument.activeElement)) {
      images.blur();
      this.#answering.takeFocus();
    } else {
      this.#answering.settleNumber();
      images.ownerDocument.defaultView?.focus();
      images.focus();
    }
  }
}

/** A list takes all keys; a focused button or link takes Enter and Space. */
function answersItself(active: Element | null, key: string): boolean {
  if (active?.matches('select')) return true;
  return (key === 'Enter' || key === ' ') && active?.matches('button, a') === true;
}

/** A number that is typed while the second window has the keyboard goes into the open cell, as if it were there. */
function typeInto(field: Element | null, event: KeyboardEvent): void {
  if (!(field instanceof HTMLInputElement) || !field.classList.contains('typed-number')) return;
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const erases = event.key === 'Backspace';
  if (!erases && !/^[\d.,+−-]$/.test(event.key)) return;
  const end = field.selectionEnd ?? field.value.length;
  const selected = field.selectionStart ?? end;
  const start = erases && selected === end ? Math.max(0, end - 1) : selected;
  const text = erases ? '' : event.key;
  if (text !== '' && field.value.length - (end - start) + text.length > field.maxLength) return;
  field.setRangeText(text, start, end, 'end');
  field.dispatchEvent(new Event('input', { bubbles: true }));
}

function actOnImages(images: Images, action: Action): void {
  const plain = ON_IMAGES[action.kind];
  const { tools } = images;
  const { keys } = tools;
  if (plain) plain(images);
  else if (action.kind === 'preset') images.preset(action.key);
  else if (action.kind === 'scroll') images.scroll(action.by);
  else if (action.kind === 'edge') images.edge(action.to);
  else if (action.kind === 'link') images.link(action.offset);
  else if (action.kind === 'jump') images.jumpTo(action.number);
  else if (action.kind === 'block') images.block(action.by);
  else if (action.kind === 'cursor') keys.move(action.right, action.down);
  else if (action.kind === 'take_point') keys.take(action.by);
  else if (action.kind === 'zoom') keys.zoom(action.by);
  else if (action.kind === 'work') keys.work(action.right, action.down);
  else if (action.kind === 'tool') {
    tools.use(tools.chosen === action.tool ? tools.atRest : action.tool);
  }
}
