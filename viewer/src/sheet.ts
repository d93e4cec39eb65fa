/** The grading form, drawn from the protocol's sheet. It knows no scale, item or reason by name. */
import { answerOf, caseValue, commentOf, isNotAssessable, standing, summary, words } from './answers.ts';
import { type CellEvents, cellOf, faultOf, type SheetView } from './cell.ts';
import { Criteria, type Illustrations } from './criteria.ts';
import { h } from './dom.ts';
import { evidenceOf } from './evidence.ts';
import { type Grading, openRemarks, SUBMIT } from './grading.ts';
import { gridOf } from './grid.ts';
import { Leaves } from './leaf.ts';
import { matrixOf } from './matrix.ts';
import { pinsOf } from './pins.ts';
import { remarksAt, remarksOf } from './remarks.ts';
import type { Cell, Item, Remark, Sheet } from './wire.ts';

export interface SheetEvents extends CellEvents {
  unassessable(): void;
  criteria(): void;
  keep(codes: readonly string[]): void;
  /** Keep the active view's slice as evidence of the open cell. */
  pin(): void;
  comment(text: string, done: boolean): void;
}

const MARKS = { open: '○', part: '◐', answered: '●', unassessable: '–' } as const;
const SPOKEN = {
  open: 'open',
  part: 'partly answered',
  answered: 'answered',
  unassessable: 'not assessable',
} as const;

/** The question in full, with the name of a graded scale where that says more. */
function asked(item: Item): string {
  if (item.scale.kind !== 'ordinal') return item.asked;
  const { name } = item.scale;
  const said = `${item.asked} ${item.short}`.toLowerCase();
  return said.includes(name.toLowerCase()) ? item.asked : `${item.asked} · ${name}`;
}

export class SheetForm {
  readonly comment: HTMLTextAreaElement;
  readonly #list: HTMLElement;
  readonly #events: SheetEvents;
  #sheet: Sheet;
  readonly #criteria: Criteria;
  readonly #leaves: Leaves;
  #drawn = '';
  /** The item that is open on the page, and whether its criteria are. */
  #opened = '';

  constructor(
    list: HTMLElement,
    scroller: HTMLElement,
    comment: HTMLTextAreaElement,
    sheet: Sheet,
    shown: Illustrations,
    events: SheetEvents,
  ) {
    this.#criteria = new Criteria(shown);
    this.#list = list;
    this.#leaves = new Leaves(list, scroller);
    this.comment = comment;
    this.#sheet = sheet;
    this.#events = events;
    comment.addEventListener('input', () => events.comment(comment.value, false));
    comment.addEventListener('blur', () => events.comment(comment.value, true));
  }

  load(sheet: Sheet): void {
    this.#sheet = sheet;
    this.#drawn = '';
  }

  draw(view: SheetView): void {
    const { grading } = view;
    const text = commentOf(grading.content.answers);
    if (document.activeElement !== this.comment) this.comment.value = text;
    const signature = JSON.stringify([
      grading.content,
      grading.focus,
      grading.mode,
      grading.criteria,
      view.remarks,
      view.measured,
      view.faults,
    ]);
    if (signature === this.#drawn) return;
    this.#drawn = signature;
    const typed = this.#typedText(view);
    const before = typed === null ? null : this.#input(grading.focus);
    const held = this.#list.contains(document.activeElement);
    const places = this.#leaves.places();
    const rows: HTMLElement[] = [];
    let support = false;
    for (const item of this.#sheet.items) {
      rows.push(this.#row(item, view, item.support && !support));
      support = item.support;
    }
    // Criteria need room: the other items step back, and no image is covered.
    this.#list.classList.toggle('reading-criteria', grading.criteria && grading.focus !== SUBMIT);
    this.#list.replaceChildren(...rows);
    const input = this.#input(grading.focus);
    if (typed !== null && input) input.value = typed;
    if (held) this.focus(grading.focus);
    // What is being typed goes on where it was; selected, the next digit would take its place.
    if (before && input) input.setSelectionRange(before.selectionStart, before.selectionEnd);
    this.#scroll(grading, places);
  }

  /** What was scrolled stays so while the same is open; what opens begins at its top, and is in sight. */
  #scroll({ criteria, focus }: Grading, places: ReadonlyMap<string, number>): void {
    const item = this.#sheet.items.find(({ cells }) => cells.some(({ key }) => key === focus));
    const opened = `${item?.code} ${criteria}`;
    this.#leaves.put(opened === this.#opened ? places : new Map([...places].slice(-1)));
    this.#opened = opened;
    this.#list.querySelector('.item.open')?.scrollIntoView({ block: 'nearest' });
  }

  /** Turn a page of the criteria, or of what else does not fit. */
  leaf(by: 1 | -1): void {
    this.#leaves.turn(by);
  }

  /** Put the keyboard where the open cell is answered. */
  focus(cell: string): void {
    const group = this.#list.querySelector<HTMLElement>(`[data-open-cell="${CSS.escape(cell)}"]`);
    const field = group?.querySelector<HTMLInputElement>('input');
    if (field) {
      field.focus({ preventScroll: true });
      field.select();
    } else group?.focus({ preventScroll: true });
  }

  /** Look closer at the pictures beside the criteria: the next one, or the one before. */
  closer(by: 1 | -1): void {
    this.#criteria.closer(by);
  }

  /** What stands in the number field of a cell, when it was typed and not yet taken. */
  typed(cell: string): string | null {
    const input = this.#input(cell);
    return input && input.value !== input.defaultValue ? input.value : null;
  }

  /** What is being typed; what was refused stays to be mended, also when the keyboard is elsewhere. */
  #typedText({ grading: { focus }, faults }: SheetView): string | null {
    const input = this.#input(focus);
    return input && (document.activeElement === input || faultOf(focus, faults)) ? this.typed(focus) : null;
  }

  #input(cell: string): HTMLInputElement | null {
    return this.#list.querySelector<HTMLInputElement>(
      `[data-open-cell="${CSS.escape(cell)}"] input.typed-number`,
    );
  }

  #row(item: Item, view: SheetView, firstSupport: boolean): HTMLElement {
    const { grading, remarks } = view;
    const open = item.cells.some((cell) => cell.key === grading.focus);
    const state = standing(item, grading.content.answers);
    const mine = remarksAt(remarks, item.cells);
    const asks = openRemarks(mine, grading.content.kept).length > 0;
    const faulty = view.faults.some((fault) => item.cells.some((cell) => cell.key === fault.cell));
    const value = summary(this.#sheet, item, grading.content.answers);
    const row = h('li', { class: 'item', 'data-item': item.code, 'data-standing': state });
    row.classList.toggle('open', open);
    row.classList.toggle('warned', asks || faulty);
    row.classList.toggle('support-first', firstSupport);
    const spoken = `${item.short || item.asked}: ${value || SPOKEN[state]}${asks ? ', remark' : ''}`;
    const head = h(
      'button',
      {
        type: 'button',
        class: 'head',
        tabindex: -1,
        'aria-expanded': String(open),
        'aria-label': spoken,
        click: () => this.#events.focus(item.cells[0]?.key ?? ''),
      },
      h('span', { class: 'item-mark', 'aria-hidden': 'true' }, asks || faulty ? '▲' : MARKS[state]),
      h('span', { class: 'item-name' }, item.short || item.asked),
      h('span', { class: 'value', title: value }, value || (item.required ? '' : 'optional')),
    );
    // The field keeps the keyboard until the row has taken what was typed.
    head.addEventListener('mousedown', (event) => event.preventDefault());
    row.append(head, ...item.cells.map((cell) => this.#trace(cell, view)));
    if (!open) row.append(...pinsOf(item, view, this.#events));
    if (open) row.append(this.#body(item, view, mine));
    return row;
  }

  /** What a cell holds, for assistive search and tests; the words stand in the row's head. */
  #trace(cell: Cell, view: SheetView): HTMLElement {
    const value = answerOf(view.grading.content.answers, cell.key);
    const text = value === undefined ? '' : isNotAssessable(value) ? value.not_assessable : String(value);
    return h('span', { hidden: true, 'data-cell': cell.key, 'data-value': text });
  }

  #body(item: Item, view: SheetView, remarks: readonly Remark[]): HTMLElement {
    const body = h('div', { class: 'body' });
    body.append(h('p', { class: 'asked' }, asked(item)));
    const matrix = matrixOf(item);
    if (matrix)
      body.append(gridOf(this.#sheet, item, matrix, view.grading, (key) => this.#events.focus(key)));
    for (const cell of item.cells) {
      // A matrix shows all cells at once; the levels stand below it for the open one only.
      if (!matrix || cell.key === view.grading.focus)
        body.append(cellOf(this.#sheet, item, cell, view, this.#events));
    }
    const value =
      item.cells.filter((cell) => cell.counts !== false).length > 1
        ? caseValue(item, view.grading.content.answers)
        : null;
    if (value !== null) {
      body.append(
        h('p', { class: 'case-value' }, `Case value: ${words(this.#sheet, item, value)} (the higher one)`),
      );
    }
    body.append(...remarksOf(remarks, view.grading.content.kept));
    body.append(this.#hints(view.grading, openRemarks(remarks, view.grading.content.kept)));
    if (view.grading.criteria) body.append(this.#criteria.of(item));
    return body;
  }

  /** What the open item offers besides its levels; "keep as is" answers all its warnings at once. */
  #hints(grading: Grading, asking: readonly Remark[]): HTMLElement {
    const hint = (key: string, text: string, pressed: boolean, act: () => void, name: string) =>
      h(
        'button',
        { type: 'button', class: name, tabindex: -1, 'aria-pressed': String(pressed), click: act },
        h('kbd', {}, key),
        text,
      );
    const { unassessable, criteria, keep, pin } = this.#events;
    const codes = asking.map((remark) => remark.code);
    return h(
      'p',
      { class: 'hints' },
      asking.length > 0 && hint('K', 'keep as is', false, () => keep(codes), 'keep'),
      hint('U', 'not assessable', grading.mode !== 'grade', unassessable, 'unassess'),
      hint('=', 'pin', evidenceOf(grading.content.evidence, grading.focus) !== undefined, pin, 'pin-here'),
      hint('?', 'criteria', grading.criteria, criteria, 'ask'),
    );
  }
}
