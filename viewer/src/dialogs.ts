/** Native dialogs: summary before submit, keys, conflict, set aside. */
import { answerOf, isNotAssessable, isRequired, missing, places, words } from './answers.ts';
import { clock, h, say } from './dom.ts';
import { sameContent, type Theirs } from './draft.ts';
import { evidenceOf, marksOf } from './evidence.ts';
import { openRemarks } from './grading.ts';
import { KEY_LINES, type KeyLine } from './keys.ts';
import type { Answer, Cell, Content, Habit, Item, Remark, Sheet } from './wire.ts';

export function open(name: string, title: string, ...children: readonly Node[]): HTMLDialogElement {
  const heading = h('h2', { id: `${name}-title` }, title);
  const dialog = h(
    'dialog',
    { class: `dialog ${name}`, 'aria-labelledby': `${name}-title` },
    heading,
    ...children,
  );
  dialog.addEventListener('close', () => dialog.remove());
  document.body.append(dialog);
  dialog.showModal();
  return dialog;
}

const opened = (): Element | null => document.querySelector('dialog[open]');

export const dialogOpen = (): boolean => opened() !== null;

/** Now, or as soon as the question that stands there is answered: two at once could not be. */
export function whenFree(act: () => void): void {
  const before = opened();
  if (before) before.addEventListener('close', () => whenFree(act), { once: true });
  else act();
}

function habitChoices(habits: readonly Habit[], chosen: string, choose: (code: string) => void): HTMLElement {
  const options = habits.map(({ code, title, says }) => {
    const input = h('input', { type: 'radio', name: 'habit', value: code, checked: code === chosen });
    input.addEventListener('change', () => choose(code));
    return h('label', {}, input, h('span', {}, title, ' ', h('span', { class: 'soft' }, says)));
  });
  return h('fieldset', { class: 'habits' }, h('legend', {}, 'Mouse buttons'), ...options);
}

export function keysDialog(habits: readonly Habit[], chosen: string, choose: (code: string) => void): void {
  const groups: readonly KeyLine['group'][] = ['Sheet', 'Everywhere', 'Images', 'Tools'];
  const columns = groups.map((group) =>
    h(
      'section',
      {},
      h('h3', {}, group),
      h(
        'dl',
        {},
        ...KEY_LINES.filter((line) => line.group === group).flatMap((line) => [
          h('dt', {}, line.keys),
          h('dd', {}, line.does),
        ]),
      ),
    ),
  );
  const close = h(
    'button',
    { type: 'button', class: 'primary', autofocus: true, click: () => dialog.close() },
    'Close',
  );
  const dialog = open(
    'keys',
    'Keys and mouse',
    h('div', { class: 'columns' }, ...columns, habitChoices(habits, chosen, choose)),
    h('footer', {}, close),
  );
}

export interface SummaryFacts {
  readonly label: string;
  readonly sheet: Sheet;
  readonly content: Content;
  /** The server's remarks, which may still arrive while the dialog is open. */
  readonly remarks: () => readonly Remark[];
  /** Sentences that forbid submitting just now; asked again while the dialog is open. */
  readonly obstacles: () => readonly string[];
}

export const cellName = (item: Item, cell: Cell): string =>
  [item.short || item.asked, item.cells.length > 1 ? cell.label : ''].filter(Boolean).join(', ');

function answersTable(sheet: Sheet, content: Content): HTMLTableElement {
  const rows = places(sheet)
    .filter((place) => isRequired(place) || answerOf(content.answers, place.cell.key) !== undefined)
    .map(({ item, cell }) => answerRow(sheet, item, cell, answerOf(content.answers, cell.key)));
  return h('table', {}, h('tbody', {}, ...rows));
}

function answerRow(sheet: Sheet, item: Item, cell: Cell, value: Answer | undefined): HTMLTableRowElement {
  const coded = typeof value === 'number' && item.scale.kind !== 'continuous';
  const text = value === undefined ? 'open' : words(sheet, item, value);
  const shown = coded && text !== String(value) ? `${text}  (${value})` : text;
  const kind = value === undefined ? 'open' : isNotAssessable(value) ? 'unassessable' : '';
  return h('tr', { class: kind }, h('th', { scope: 'row' }, cellName(item, cell)), h('td', {}, shown));
}

function remarkLines(remarks: readonly Remark[], kept: readonly string[]): readonly HTMLElement[] {
  return remarks.map((remark) => {
    const decided = kept.includes(remark.code) ? 'kept as is' : 'kept as is when you submit';
    const state = remark.severity === 'warn' ? decided : 'for information';
    const said = h('span', { class: 'soft' }, ` · ${state}`);
    return h('li', { class: `is-${remark.severity}` }, remark.text, said);
  });
}

const openAnswers = (gaps: number): string =>
  gaps === 0 ? '' : gaps === 1 ? '1 answer is open.' : `${gaps} answers are open.`;

/** Everything in words, then one press submits. It follows what the server still says while it is open. */
export function summaryDialog(
  facts: SummaryFacts,
  submit: () => void,
  closed: () => void,
): { refresh(): void } {
  const { sheet, content } = facts;
  const gaps = missing(sheet, content.answers).length;
  const notes = h('ul', { class: 'remarks' });
  const stop = h('p', { class: 'obstacle', role: 'alert' });
  const button = h('button', { type: 'button', class: 'primary' });
  const back = h('button', { type: 'button', click: () => dialog.close() }, 'Back  (Esc)');
  const refresh = () => {
    const remarks = facts.remarks();
    const asking = openRemarks(remarks, content.kept).length;
    notes.replaceChildren(...remarkLines(remarks, content.kept));
    say(button, `${asking > 0 ? `Submit, keep ${asking} as is` : 'Submit'}  (Enter)`);
    const text = [openAnswers(gaps), ...facts.obstacles()].filter(Boolean).join(' ');
    say(stop, text);
    stop.hidden = text === '';
    button.setAttribute('aria-disabled', String(text !== ''));
  };
  // Not `disabled`: the keyboard stays on the button while the last answer is on its way.
  button.addEventListener('click', () => {
    if (button.getAttribute('aria-disabled') === 'true') return;
    dialog.close();
    submit();
  });
  const dialog = open(
    'summary',
    `${facts.label}: ${sheet.title}`,
    h('div', { class: 'scroller', tabindex: 0 }, answersTable(sheet, content), notes),
    stop,
    h('p', { class: 'soft' }, 'A submitted reading is final.'),
    h('footer', {}, back, button),
  );
  dialog.addEventListener('close', closed);
  refresh();
  (gaps > 0 ? back : button).focus();
  return { refresh };
}

const BOTH_KEPT =
  'It was changed in another tab or on another machine. Nothing is lost: both versions are kept. Choose the one to go on with.';

export function conflictDialog(
  sheet: Sheet,
  mine: Content,
  theirs: Theirs,
  choose: (version: 'mine' | 'theirs') => void,
): void {
  const other = theirs.content;
  const goOn = (label: string, version: 'mine' | 'theirs'): HTMLElement => {
    const click = () => {
      dialog.close();
      choose(version);
    };
    return h('button', { type: 'button', class: 'primary', click }, label);
  };
  const column = (title: string, found: HTMLElement, button: HTMLElement) =>
    h('section', {}, h('h3', {}, title), found, button);
  const at = theirs.savedAt ? `saved ${clock(theirs.savedAt)}` : 'saved elsewhere';
  const dialog = open(
    'conflict',
    'Two versions of this reading',
    h('p', {}, BOTH_KEPT),
    h(
      'div',
      { class: 'columns' },
      column('This page', differences(sheet, mine, other), goOn('Go on with this page', 'mine')),
      column(
        `The other version, ${at}`,
        differences(sheet, other, mine),
        goOn('Go on with the other version', 'theirs'),
      ),
    ),
  );
  dialog.addEventListener('cancel', (event) => event.preventDefault());
  // No button has the focus: a digit or Enter still on its way must not choose.
  const heading = dialog.querySelector('h2');
  heading?.setAttribute('tabindex', '-1');
  heading?.focus();
}

function differences(sheet: Sheet, own: Content, other: Content): HTMLElement {
  const list = h('dl');
  for (const { item, cell } of places(sheet)) {
    const value = answerOf(own.answers, cell.key);
    if (JSON.stringify(value) === JSON.stringify(answerOf(other.answers, cell.key))) continue;
    list.append(h('dt', {}, cellName(item, cell)), h('dd', {}, words(sheet, item, value) || 'open'));
  }
  if (own.answers.comment !== other.answers.comment) {
    list.append(h('dt', {}, 'Comment'), h('dd', {}, String(own.answers.comment ?? 'none')));
  }
  if (!sameContent(own.evidence, other.evidence)) {
    const cells = places(sheet).filter(({ cell }) => evidenceOf(own.evidence, cell.key)).length;
    list.append(
      h('dt', {}, 'Evidence'),
      h('dd', {}, `slices of ${cells} answers, ${marksOf(own.evidence).length} marks`),
    );
  }
  if (list.childElementCount === 0) list.append(h('dt', {}, 'Answers'), h('dd', {}, 'the same'));
  return list;
}

export function setAsideDialog(label: string, done: (reason: string) => void): void {
  const field = h('textarea', { id: 'aside-reason', rows: 3, maxlength: 500, required: true });
  const button = h('button', { type: 'button', class: 'primary' }, 'Set aside');
  button.addEventListener('click', () => {
    if (field.value.trim() === '') {
      field.focus();
      return;
    }
    dialog.close();
    done(field.value.trim());
  });
  const dialog = open(
    'aside',
    `Set ${label} aside`,
    h('p', {}, 'It comes back at the end of this form. The answers so far are kept.'),
    h('label', { for: 'aside-reason' }, 'Why it cannot be read now'),
    field,
    h('footer', {}, h('button', { type: 'button', click: () => dialog.close() }, 'Back'), button),
  );
  field.focus();
}

/** One sentence and one way on. */
export function noticeDialog(title: string, sentence: string, label: string, go: () => void): void {
  const button = h('button', { type: 'button', class: 'primary', autofocus: true }, label);
  button.addEventListener('click', () => {
    dialog.close();
    go();
  });
  const dialog = open('notice', title, h('p', {}, sentence), h('footer', {}, button));
  dialog.addEventListener('cancel', (event) => event.preventDefault());
}
