/** One cell of the open item: its levels, its number or its reasons, and what is to be said of them. */
import { answerOf, isNotAssessable, signed, words } from './answers.ts';
import { h } from './dom.ts';
import { evidenceOf } from './evidence.ts';
import type { Grading } from './grading.ts';
import { evidenceLine, type Named, type PinEvents } from './pins.ts';
import type { Cell, ContinuousScale, Fault, Item, LevelScale, Measured, Remark, Sheet } from './wire.ts';

export interface CellEvents extends PinEvents {
  focus(cell: string): void;
  cap(cell: string, cap: string): void;
  reason(cap: string): void;
  note(text: string): void;
  number(cell: string, text: string): void;
  slip(): void;
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

export function cellOf(
  sheet: Sheet,
  item: Item,
  cell: Cell,
  view: SheetView,
  events: CellEvents,
): HTMLElement {
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
    if (!focused && !(event.target as Element).closest('button')) events.focus(cell.key);
  });
  if (item.cells.length > 1) group.append(h('span', { class: 'site' }, cell.label));
  if (asksReason) group.append(...reasons(sheet, grading, events));
  else if (item.scale.kind === 'continuous') group.append(...number(item.scale, cell, view, events));
  else group.append(caps(item.scale, cell, view, events));
  const value = answerOf(grading.content.answers, cell.key);
  if (isNotAssessable(value) && !asksReason) {
    group.append(h('p', { class: 'unassessable' }, words(sheet, item, value)));
  }
  group.append(...evidenceLine(item, cell, view, events), ...troubles(cell, view));
  return group;
}

/** What was refused of a cell, in words; empty where nothing was. */
export const faultOf = (cell: string, faults: readonly Fault[]): string =>
  faults.find((fault) => fault.cell === cell)?.message ?? '';

/** Why a level cannot be given here, and what is wrong with what was. */
function troubles({ key }: Cell, { barred, faults }: SheetView): readonly HTMLElement[] {
  const fault = faultOf(key, faults);
  // What comes with its element is heard only as an alert; what comes later, as a change.
  const heard = fault ? { role: 'alert' } : { 'aria-live': 'polite' };
  const said = h('p', { class: 'fault', ...heard }, fault);
  const why = barred[key];
  return why ? [h('p', { class: 'barred' }, why), said] : [said];
}

function caps(scale: LevelScale, cell: Cell, view: SheetView, events: CellEvents): HTMLElement {
  const value = answerOf(view.grading.content.answers, cell.key);
  const row = h('div', { class: 'caps' });
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
        click: () => events.cap(cell.key, level.key),
      },
      h('kbd', {}, level.key),
      level.label !== level.key && h('span', {}, level.label),
    );
    row.append(button);
  }
  return row;
}

function reasons(sheet: Sheet, grading: Grading, events: CellEvents): readonly HTMLElement[] {
  const caps = h('div', { class: 'caps reasons' });
  sheet.reasons.forEach((reason, index) => {
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
          click: () => events.reason(cap),
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
    events.note(input.value);
  });
  return [h('p', { class: 'why' }, 'Not assessable, because'), caps, input];
}

function number(
  scale: ContinuousScale,
  cell: Cell,
  view: SheetView,
  events: CellEvents,
): readonly HTMLElement[] {
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
  input.addEventListener('focus', () => events.focus(cell.key));
  input.addEventListener('blur', () => {
    if (input.isConnected && input.value !== input.defaultValue) events.number(cell.key, input.value);
  });
  const line = h('div', { class: 'number-line' }, input, h('span', { class: 'unit' }, scale.unit));
  if (scale.tool === 'three_points') {
    const button = h(
      'button',
      { type: 'button', class: 'measure', tabindex: -1, click: () => events.slip() },
      h('kbd', {}, 'S'),
      'Measure',
    );
    button.addEventListener('pointerdown', (event) => event.preventDefault());
    line.append(button);
  }
  const facts = measuredText(scale, cell, view);
  return facts ? [line, h('p', { class: 'measured' }, facts)] : [line];
}

/**
 * What the points of a number tell besides it. The server measures what it has taken: while it has not taken this
 * number, or has refused it, that is another one's, and nothing of it stands here.
 */
function measuredText({ decimals }: ContinuousScale, { key }: Cell, view: SheetView): string {
  const { evidence, answers } = view.grading.content;
  if (faultOf(key, view.faults) || !evidenceOf(evidence, key)?.points_lps_mm) return '';
  const measured = view.measured[key];
  const parts = ['from three points'];
  const value = answerOf(answers, key);
  const off = measured && typeof value === 'number' ? Math.abs(measured.value_mm - value) : Infinity;
  // The page rounds what it measured, and the server did not.
  if (!measured || off > 0.5001 / 10 ** decimals) return parts.join();
  if (typeof measured.endplate_mm === 'number') parts.push(`endplate ${measured.endplate_mm.toFixed(1)} mm`);
  if (typeof measured.slip_pct === 'number') parts.push(signed(`${measured.slip_pct.toFixed(0)} %`));
  return parts.join(' · ');
}
