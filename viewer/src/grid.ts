/** A matrix of cells on the sheet: what each holds in a word, and the way to it. */
import { answerOf, isNotAssessable, words } from './answers.ts';
import { h } from './dom.ts';
import type { Grading } from './grading.ts';
import type { Matrix } from './matrix.ts';
import type { Answer, Cell, Item, Sheet } from './wire.ts';

type Choose = (cell: string) => void;

function mark(sheet: Sheet, item: Item, cell: Cell, value: Answer | undefined): string {
  if (value === undefined) return cell.required ? '○' : '·';
  return isNotAssessable(value) ? '–' : words(sheet, item, value);
}

function place(sheet: Sheet, item: Item, cell: Cell, grading: Grading, choose: Choose): HTMLElement {
  const value = answerOf(grading.content.answers, cell.key);
  const said = `${cell.label || 'Case'}: ${words(sheet, item, value) || 'open'}`;
  return h(
    'button',
    {
      type: 'button',
      class: 'place',
      tabindex: -1,
      title: said,
      'aria-label': said,
      'aria-current': String(cell.key === grading.focus),
      'data-place': cell.key,
      click: () => choose(cell.key),
    },
    mark(sheet, item, cell, value),
  );
}

export function gridOf(
  sheet: Sheet,
  item: Item,
  { columns, rows }: Matrix,
  grading: Grading,
  choose: Choose,
): HTMLElement {
  const titled = columns.some(Boolean);
  const titles = columns.map((side) => h('th', { scope: 'col' }, side || 'case'));
  const lines = rows.map(({ label, cells }) =>
    h(
      'tr',
      {},
      h('th', { scope: 'row' }, label || 'Side'),
      ...cells.map((cell) => h('td', {}, cell && place(sheet, item, cell, grading, choose))),
    ),
  );
  return h(
    'table',
    { class: 'matrix', 'aria-label': item.short || item.asked },
    titled && h('thead', {}, h('tr', {}, h('td', {}), ...titles)),
    h('tbody', {}, ...lines),
  );
}
