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
    bars.sheet.addEventListener('pointerdown', () => this.#images()?.release());
  }

  /** Keys of a page; the second window's go the same way. */
  listen(page: Document): void {
    page.addEventListener('keydown', (event) => {
      this.#onKey(event);
      // A question stands on the sheet's window, and its answer is given there.
      if (page !== document && dialogOpen()) window.focus();
    });
    page.addEventListener('keyup', (event) => {
      if (event.code === 'KeyG' || event.key === 'g') this.#images()?.lensUp();
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
      marked: this.#images()?.marked ?? false,
      jumping: this.#bars.jumping,
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
    if (!action && page !== document) typeInto(document.activeElement, key);
    if (!action || (key === 'Tab' && !this.#tabIsOurs(shift))) return;
    event.preventDefault();
    if (OF_THE_SHEET.has(action.kind)) this.#images()?.release();
    if (event.repeat && action.kind === 'lens') return;
    if (action.kind !== 'jumps') this.#bars.jumps(false);
    this.act(action);
  }

  /** Tab walks the cells, and leaves the sheet at its two ends as everywhere else. */
  #tabIsOurs(back: boolean): boolean {
    if (!this.#bars.list.contains(document.activeElement)) return false;
    return !(back && this.#answering.atStart());
  }

  act(action: Action): void {
    const answering = this.#answering;
    switch (action.kind) {
      case 'cap':
        answering.cap(action.cap);
        return;
      case 'move':
        answering.move(action.by);
        return;
      case 'step':
        answering.step(action.by);
        return;
      case 'across':
        answering.across(action.by);
        return;
      case 'accept':
        this.#accept();
        return;
      case 'escape':
        this.#escape();
        return;
      case 'clear':
        answering.clear();
        return;
      case 'unassessable':
        answering.unassessable();
        return;
      case 'criteria':
        answering.criteria();
        return;
      case 'keep':
        answering.keepHere();
        return;
      case 'undo':
        answering.undo();
        return;
      case 'redo':
        answering.redo();
        return;
      default:
        this.#actOnPage(action);
    }
  }

  #actOnPage(action: Action): void {
    switch (action.kind) {
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
      case 'pin':
        this.#answering.pin();
        return;
      case 'see_pin':
        this.#answering.seePin();
        return;
      case 'unpin':
        this.#answering.unpin();
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

/** A number that is typed while the second window has the keyboard still goes into the open cell. */
function typeInto(field: Element | null, key: string): void {
  if (!(field instanceof HTMLInputElement) || !field.classList.contains('typed-number')) return;
  if (key === 'Backspace') field.value = field.value.slice(0, -1);
  else if (/^[\d.,-]$/.test(key)) field.value += key;
  else return;
  field.dispatchEvent(new Event('input', { bubbles: true }));
}

function actOnImages(images: Images, action: Action): void {
  switch (action.kind) {
    case 'preset':
      images.preset(action.key);
      return;
    case 'scroll':
      images.scroll(action.by);
      return;
    case 'edge':
      images.edge(action.to);
      return;
    case 'tool':
      images.setTool(images.tool === action.tool ? images.atRest : action.tool);
      return;
    case 'link':
      images.link(action.offset);
      return;
    case 'jump':
      images.jumpTo(action.number);
      return;
    case 'block':
      images.block(action.by);
      return;
    case 'lens':
      images.lens();
      return;
    case 'full':
      images.full();
      return;
    case 'layout':
      images.nextLayout();
      return;
    case 'view':
      images.nextView();
      return;
    case 'invert':
      images.invert();
      return;
    case 'reset':
      images.reset();
      return;
    case 'overlays':
      images.overlays();
      return;
    case 'middle':
      images.middle();
      return;
    case 'remove_mark':
      images.removeMark();
      return;
    case 'retry':
      images.retry();
  }
}
