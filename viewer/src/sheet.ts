/** The grading form, drawn from the protocol's sheet. It knows no scale, item or reason by name. */
import {
  answerOf,
  caseValue,
  commentOf,
  isNotAssessable,
  signed,
  standing,
  summary,
  words,
} from './answers.ts';
import { Criteria, type Illustrations } from './criteria.ts';
import { h, say } from './dom.ts';
import { evidenceOf } from './evidence.ts';
import { type Grading, openRemarks, SUBMIT } from './grading.ts';
import { gridOf } from './grid.ts';
import { matrixOf } from './matrix.ts';
import { evidenceLine, type Named, pinsOf } from './pins.ts';
import type { Cell, ContinuousScale, Fault, Item, LevelScale, Measured, Remark, Sheet } from './wire.ts';

export interface SheetEvents {
  focus(cell: string): void;
  cap(cell: string, cap: string): void;
  reason(cap: string): void;
  note(text: string): void;
  number(cell: string, text: string): void;
  unassessable(): void;
  criteria(): void;
  keep(codes: readonly string[]): void;
  slip(): void;
  /** Keep the active view's slice as evidence of the open cell; show a cell's again; take it back. */
  pin(): void;
  seePin(cell: string): void;
  unpin(cell: string): void;
  comment(text: string, done: boolean): void;
}

export interface SheetView {
  readonly grading: Grading;
  readonly remarks: readonly Remark[];
  readonly measured: Readonly<Record<string, Measured>>;
  readonly faults: readonly Fault[];
  /** Cells that take no level and no number, each with the reason. */
  readonly barred: Readonly<Record<string, string>>;
  readonly named: Named;
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
  #drawn = '';

  constructor(
    list: HTMLElement,
    comment: HTMLTextAreaElement,
    sheet: Sheet,
    shown: Illustrations,
    events: SheetEvents,
  ) {
    this.#criteria = new Criteria(shown);
    this.#list = list;
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
    const typed = this.#typedText(grading.focus);
    const before = typed === null ? null : this.#input(grading.focus);
    const held = this.#list.contains(document.activeElement);
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
    this.#list.querySelector('.item.open')?.scrollIntoView({ block: 'nearest' });
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

  fault(cell: string, message: string): void {
    const group = this.#list.querySelector<HTMLElement>(`[data-open-cell="${CSS.escape(cell)}"] .fault`);
    if (group) say(group, message);
  }

  #typedText(cell: string): string | null {
    const input = this.#input(cell);
    return input && document.activeElement === input ? this.typed(cell) : null;
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
    const mine = remarks.filter((r) => r.cells.some((key) => item.cells.some((cell) => cell.key === key)));
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
      if (!matrix || cell.key === view.grading.focus) body.append(this.#cell(item, cell, view));
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
    for (const remark of remarks) body.append(this.#remark(remark, view.grading.content.kept));
    body.append(this.#hints(view.grading, openRemarks(remarks, view.grading.content.kept)));
    if (view.grading.criteria) body.append(this.#criteria.of(item));
    return body;
  }

  #cell(item: Item, cell: Cell, view: SheetView): HTMLElement {
    const { grading } = view;
    const focused = cell.key === grading.focus;
    const label = [item.short || item.asked, cell.label].filter(Boolean).join(', ');
    const asksReason = focused && grading.mode !== 'grade';
    const continuous = item.scale.kind === 'continuous' && !asksReason;
    const group = h('div', {
      class: 'cell',
      'data-open-cell': cell.key,
      role: continuous ? 'group' : 'radiogroup',
      'aria-label': asksReason ? `${label}: why not assessable` : label,
      tabindex: continuous ? -1 : focused ? 0 : -1,
    });
    group.classList.toggle('focused', focused);
    group.addEventListener('pointerdown', (event) => {
      if (!(event.target instanceof HTMLInputElement)) event.preventDefault();
      if (!focused && !(event.target as Element).closest('button')) this.#events.focus(cell.key);
    });
    if (item.cells.length > 1) group.append(h('span', { class: 'site' }, cell.label));
    if (asksReason) group.append(...this.#reasons(grading));
    else if (item.scale.kind === 'continuous') group.append(...this.#number(item.scale, cell, view));
    else group.append(this.#caps(item.scale, cell, view));
    const value = answerOf(grading.content.answers, cell.key);
    if (isNotAssessable(value) && !asksReason) {
      group.append(h('p', { class: 'unassessable' }, words(this.#sheet, item, value)));
    }
    group.append(...evidenceLine(item, cell, view, this.#events), ...this.#troubles(cell, view));
    return group;
  }

  /** Why a level cannot be given here, and what is wrong with what was. */
  #troubles({ key }: Cell, { barred, faults }: SheetView): readonly HTMLElement[] {
    const fault = faults.find(({ cell }) => cell === key)?.message ?? '';
    const said = h('p', { class: 'fault', 'aria-live': 'polite' }, fault);
    const why = barred[key];
    return why ? [h('p', { class: 'barred' }, why), said] : [said];
  }

  #caps(scale: LevelScale, cell: Cell, view: SheetView): HTMLElement {
    const value = answerOf(view.grading.content.answers, cell.key);
    const caps = h('div', { class: 'caps' });
    for (const level of scale.levels) {
      const checked = level.code === value;
      const button = h(
        'button',
        {
          type: 'button',
          class: 'cap',
          role: 'radio',
          tabindex: -1,
          'aria-checked': String(checked),
          'data-cap': level.key,
          'aria-disabled': String(cell.key in view.barred),
          click: () => this.#events.cap(cell.key, level.key),
        },
        h('kbd', {}, level.key),
        level.label !== level.key && h('span', {}, level.label),
      );
      caps.append(button);
    }
    return caps;
  }

  #reasons(grading: Grading): readonly HTMLElement[] {
    const caps = h('div', { class: 'caps reasons' });
    this.#sheet.reasons.forEach((reason, index) => {
      // While its note is written the chosen one is enough: the form stays whole on a small screen.
      if (grading.mode === 'note' && grading.reason !== reason.code) return;
      const cap = String(index + 1);
      caps.append(
        h(
          'button',
          {
            type: 'button',
            class: 'cap',
            role: 'radio',
            tabindex: -1,
            'aria-checked': String(grading.reason === reason.code),
            'data-cap': cap,
            click: () => this.#events.reason(cap),
          },
          h('kbd', {}, cap),
          h('span', {}, reason.label),
        ),
      );
    });
    if (grading.mode !== 'note') return [h('p', { class: 'why' }, 'Not assessable, because'), caps];
    const input = h('input', {
      class: 'note-text',
      type: 'text',
      maxlength: 200,
      'aria-label': 'Reason in a few words',
      placeholder: 'in a few words, then Enter',
    });
    input.addEventListener('keydown', (event) => {
      if (event.key !== 'Enter') return;
      // The cell has moved on before the page hears of this key: it must not move once more.
      event.stopPropagation();
      event.preventDefault();
      this.#events.note(input.value);
    });
    return [h('p', { class: 'why' }, 'Not assessable, because'), caps, input];
  }

  #number(scale: ContinuousScale, cell: Cell, view: SheetView): readonly HTMLElement[] {
    const value = answerOf(view.grading.content.answers, cell.key);
    const text = typeof value === 'number' ? value.toFixed(scale.decimals) : '';
    const input = h('input', {
      class: 'typed-number',
      type: 'text',
      inputmode: 'decimal',
      autocomplete: 'off',
      maxlength: 8,
      value: text,
      readonly: cell.key in view.barred,
      'aria-label': `${cell.label || 'Value'} in ${scale.unit}, ${scale.low} to ${scale.high}`,
    });
    input.addEventListener('beforeinput', (event) => {
      if (event.data !== null && /[^\d.,+−-]/.test(event.data)) event.preventDefault();
    });
    input.addEventListener('focus', () => this.#events.focus(cell.key));
    input.addEventListener('blur', () => {
      if (input.isConnected && input.value !== input.defaultValue) this.#events.number(cell.key, input.value);
    });
    const line = h('div', { class: 'number-line' }, input, h('span', { class: 'unit' }, scale.unit));
    if (scale.tool === 'three_points') {
      const button = h(
        'button',
        { type: 'button', class: 'measure', tabindex: -1, click: () => this.#events.slip() },
        h('kbd', {}, 'S'),
        'Measure',
      );
      button.addEventListener('pointerdown', (event) => event.preventDefault());
      line.append(button);
    }
    const facts = this.#measuredText(cell, view);
    return facts ? [line, h('p', { class: 'measured' }, facts)] : [line];
  }

  #measuredText(cell: Cell, view: SheetView): string {
    if (!evidenceOf(view.grading.content.evidence, cell.key)?.points_lps_mm) return '';
    const measured = view.measured[cell.key];
    if (!measured) return 'from three points';
    const parts = ['from three points'];
    if (typeof measured.endplate_mm === 'number')
      parts.push(`endplate ${measured.endplate_mm.toFixed(1)} mm`);
    if (typeof measured.slip_pct === 'number') parts.push(signed(`${measured.slip_pct.toFixed(0)} %`));
    return parts.join(' · ');
  }

  #remark(remark: Remark, kept: readonly string[]): HTMLElement {
    const warns = remark.severity === 'warn';
    return h(
      'p',
      { class: `remark is-${remark.severity}`, 'data-remark': remark.code },
      h('span', { class: 'sign', 'aria-hidden': 'true' }, warns ? '▲' : 'i'),
      remark.text,
      warns && kept.includes(remark.code) && h('span', { class: 'kept' }, 'kept as is'),
    );
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
