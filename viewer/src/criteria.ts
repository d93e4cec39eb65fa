/** Criteria of an item with its schematic drawing: a panel for each level, named by the scale's own labels. */
import { h } from './dom.ts';
import type { Item, Level } from './wire.ts';

/** One panel of a drawing; which one is said by the address's fragment. */
function panel(drawing: string, part: string, said: string): HTMLElement {
  return h('img', { class: 'panel', src: `${drawing}#${part}`, alt: said, width: 120, height: 90 });
}

function level({ code, label, criteria, key }: Level, drawing: string | undefined): HTMLElement {
  return h(
    'li',
    {},
    drawing !== undefined && panel(drawing, `level-${code}`, `Drawing of ${label}`),
    h('p', {}, h('kbd', {}, key), label !== key && h('strong', {}, label), criteria ? ` ${criteria}` : null),
  );
}

export function criteriaOf(item: Item, drawing: string | undefined): HTMLElement {
  const box = h('div', { class: 'criteria' });
  if (item.scale.kind === 'continuous') {
    if (drawing !== undefined)
      box.append(h('p', {}, panel(drawing, 'figure', `Drawing: ${item.short || item.asked}`)));
  } else {
    const told = item.scale.levels.filter(({ criteria }) => criteria || drawing !== undefined);
    if (told.length > 0) box.append(h('ol', { class: 'levels' }, ...told.map((one) => level(one, drawing))));
  }
  if (item.criteria) box.append(h('p', {}, item.criteria));
  if (item.read_on) box.append(h('p', { class: 'soft' }, `Read on: ${item.read_on}`));
  if (item.source) box.append(h('p', { class: 'soft' }, item.source));
  return box;
}
