/** The evidence slice of a cell on the sheet: a pin beside a closed row, words and a button in the open cell. */
import { h } from './dom.ts';
import { evidenceOf } from './evidence.ts';
import type { Grading } from './grading.ts';
import type { Cell, Item } from './wire.ts';

/** The slice behind a uid in words. */
export type Named = (uid: string) => string;

export interface PinEvents {
  seePin(cell: string): void;
  unpin(cell: string): void;
}

interface PinView {
  readonly grading: Grading;
  readonly named: Named;
}

/** Beside a closed row: one pin a cell that has its evidence slice. */
export function pinsOf(item: Item, view: PinView, events: PinEvents): readonly HTMLElement[] {
  const pinned = item.cells.filter((cell) => evidenceOf(view.grading.content.evidence, cell.key));
  if (pinned.length === 0) return [];
  return [h('span', { class: 'pins' }, ...pinned.map((cell) => pin(cell, item, view, events, '')))];
}

function pin(cell: Cell, item: Item, view: PinView, events: PinEvents, text: string): HTMLElement {
  const seen = evidenceOf(view.grading.content.evidence, cell.key);
  const slice = seen ? view.named(seen.uid) : '';
  const name = [item.short || item.asked, item.cells.length > 1 && cell.label].filter(Boolean).join(', ');
  const button = h(
    'button',
    {
      type: 'button',
      class: 'pin',
      tabindex: -1,
      'data-pin': cell.key,
      title: `Show ${slice} again (J)`,
      // Words on the button name it; a bare pin has none.
      ...(text === '' ? { 'aria-label': `Show the evidence of ${name} again: ${slice}` } : {}),
      click: () => events.seePin(cell.key),
    },
    h('span', { class: 'pin-mark', 'aria-hidden': 'true' }),
    text !== '' && h('span', { class: 'pin-text' }, text),
  );
  button.addEventListener('pointerdown', (event) => event.preventDefault());
  return button;
}

/** In the open cell: its slice in words, to be shown again or taken back. */
export function evidenceLine(
  item: Item,
  cell: Cell,
  view: PinView,
  events: PinEvents,
): readonly HTMLElement[] {
  const seen = evidenceOf(view.grading.content.evidence, cell.key);
  if (!seen) return [];
  const { window } = seen;
  const text = [
    view.named(seen.uid),
    window && `W ${Math.round(window.width)} L ${Math.round(window.level)}`,
  ];
  const line = h('p', { class: 'evidence' }, pin(cell, item, view, events, text.filter(Boolean).join(' · ')));
  if (window) {
    const remove = h(
      'button',
      {
        type: 'button',
        class: 'unpin',
        tabindex: -1,
        title: 'Take the slice back (Shift+Delete)',
        click: () => events.unpin(cell.key),
      },
      'Remove',
    );
    remove.addEventListener('pointerdown', (event) => event.preventDefault());
    line.append(remove);
  }
  return [line];
}
