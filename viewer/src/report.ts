/** The run's page: find a table, walk its numbers by the arrows, see in a dialog where one comes from. */
import { fragment } from './api.ts';

const KEEP = 'Escape clears it.';

function words(text: string): string[] {
  return text.toLowerCase().split(/\s+/).filter(Boolean);
}

function matches(text: string, wanted: string[]): boolean {
  const low = text.toLowerCase();
  return wanted.every((word) => low.includes(word));
}

/** Sections whose blocks are all hidden go; one without blocks by its own words. */
function hideSections(wanted: string[]): void {
  for (const section of document.querySelectorAll<HTMLElement>('main section')) {
    const inside = [...section.querySelectorAll<HTMLElement>('.block')];
    const gone = inside.length ? inside.every((one) => one.hidden) : !matches(section.textContent, wanted);
    section.hidden = wanted.length > 0 && gone;
  }
}

/** Lines of the contents go with what they lead to; the folded ones open, so that what was found is seen. */
function hideContents(wanted: string[]): void {
  for (const line of document.querySelectorAll<HTMLElement>('.contents li:not(.folded)')) {
    const target = document.getElementById(line.querySelector('a')?.hash.slice(1) ?? '');
    const gone = !target || target.hidden || target.closest('section[hidden]') !== null;
    line.hidden = wanted.length > 0 && gone;
  }
  for (const folded of document.querySelectorAll<HTMLDetailsElement>('.contents details'))
    if (wanted.length) folded.open = true;
}

/** Hide what does not hold every word; a section goes when nothing of it is left. */
function find(field: HTMLInputElement, said: HTMLElement | null): void {
  const wanted = words(field.value);
  const blocks = [...document.querySelectorAll<HTMLElement>('main .block')];
  for (const block of blocks) block.hidden = wanted.length > 0 && !matches(block.textContent, wanted);
  hideSections(wanted);
  hideContents(wanted);
  const left = blocks.filter((block) => !block.hidden).length;
  if (said) said.textContent = wanted.length ? `${left} of ${blocks.length} shown. ${KEEP}` : '';
}

function finder(field: HTMLInputElement): void {
  const said = document.getElementById('found');
  field.hidden = false;
  field.addEventListener('input', () => find(field, said));
  field.addEventListener('keydown', (event) => {
    if (event.key !== 'Escape') return;
    field.value = '';
    find(field, said);
  });
  document.addEventListener('keydown', (event) => {
    const typing =
      event.target instanceof HTMLElement && event.target.closest('input, select, textarea, dialog');
    if (event.key !== '/' || typing || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    field.focus();
    field.select();
  });
}

/** One stop of the tab key a block; inside it the arrows go from one of its stops to the next. */
function walkable(block: HTMLElement, stops: string): void {
  const all = [...block.querySelectorAll<HTMLElement>(stops)];
  for (const [place, one] of all.entries()) one.tabIndex = place === 0 ? 0 : -1;
  block.addEventListener('keydown', (event) => {
    const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
    const here = all.indexOf(event.target as HTMLElement);
    const next = step === undefined || here < 0 ? undefined : all[here + step];
    if (!next) return;
    event.preventDefault();
    for (const one of all) one.tabIndex = one === next ? 0 : -1;
    next.focus();
  });
}

/** Show where a number comes from in a dialog; without it the link is a page. */
async function origin(link: HTMLAnchorElement, dialog: HTMLDialogElement): Promise<void> {
  const html = await fragment(link.href);
  const article = html && new DOMParser().parseFromString(html, 'text/html').querySelector('article.origin');
  if (!article) {
    location.assign(link.href);
    return;
  }
  article.querySelector('.back')?.remove();
  const close = document.createElement('button');
  close.type = 'button';
  close.textContent = 'Close';
  close.addEventListener('click', () => dialog.close());
  dialog.replaceChildren(close, article);
  dialog.showModal();
}

/** Sort a table by the column whose head is pressed, again the other way round. */
function sortable(table: HTMLTableElement): void {
  const heads = [...table.querySelectorAll<HTMLTableCellElement>('thead th')];
  const read = (row: HTMLTableRowElement, place: number): string =>
    row.cells[place]?.textContent.trim().replace('−', '-') ?? '';
  for (const [place, head] of heads.entries()) {
    const button = document.createElement('button');
    button.type = 'button';
    button.textContent = head.textContent;
    head.replaceChildren(button);
    button.addEventListener('click', () => {
      const up = head.ariaSort !== 'ascending';
      for (const other of heads) other.ariaSort = null;
      head.ariaSort = up ? 'ascending' : 'descending';
      const body = table.tBodies[0];
      if (!body) return;
      const numeric = head.dataset.number !== undefined;
      const rows = [...body.rows].sort((a, b) => {
        const [left, right] = [read(a, place), read(b, place)];
        if (!numeric) return left.localeCompare(right);
        const [x, y] = [Math.abs(Number.parseFloat(left)), Math.abs(Number.parseFloat(right))];
        return (Number.isNaN(x) ? -1 : x) - (Number.isNaN(y) ? -1 : y);
      });
      body.append(...(up ? rows : rows.reverse()));
    });
  }
}

function filtering(field: HTMLInputElement): void {
  const table = document.getElementById(field.dataset.filter ?? '');
  field.addEventListener('input', () => {
    const wanted = words(field.value);
    for (const row of table?.querySelectorAll<HTMLElement>('tbody tr') ?? [])
      row.hidden = !matches(row.textContent, wanted);
  });
}

const field = document.querySelector<HTMLInputElement>('#find');
if (field) finder(field);
for (const block of document.querySelectorAll<HTMLElement>('main .block')) walkable(block, 'a.number');
for (const list of document.querySelectorAll<HTMLElement>('[data-walk]')) walkable(list, '[data-stop]');
for (const table of document.querySelectorAll<HTMLTableElement>('table[data-sortable]')) sortable(table);
for (const input of document.querySelectorAll<HTMLInputElement>('input[data-filter]')) filtering(input);
const dialog = document.querySelector<HTMLDialogElement>('dialog#origin');
if (dialog) {
  document.addEventListener('click', (event) => {
    const link = event.target instanceof Element ? event.target.closest<HTMLAnchorElement>('a.number') : null;
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey || event.button !== 0) return;
    event.preventDefault();
    void origin(link, dialog);
  });
}
