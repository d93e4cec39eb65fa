/** What the checks say to the open item. Many remarks scroll in their own place: the items below stay on the screen. */
import { h } from './dom.ts';
import type { Fault, Remark } from './wire.ts';

/** More than so many are counted, and stand in a place of their own. */
const AT_A_GLANCE = 2;

/** Without those of a value that was refused: they were said of the one before it, and would be read as of this. */
export const standing = (remarks: readonly Remark[], faults: readonly Fault[]): readonly Remark[] =>
  remarks.filter((remark) => !faults.some(({ cell }) => remark.cells.includes(cell)));

export const remarksAt = (remarks: readonly Remark[], cells: readonly { key: string }[]): readonly Remark[] =>
  remarks.filter((remark) => cells.some(({ key }) => remark.cells.includes(key)));

export function remarksOf(remarks: readonly Remark[], kept: readonly string[]): readonly HTMLElement[] {
  const lines = remarks.map((remark) => line(remark, kept));
  if (lines.length <= AT_A_GLANCE) return lines;
  const count = h('p', { class: 'remark-count' }, `${lines.length} remarks`);
  return [
    count,
    h('div', { class: 'remarks', role: 'group', tabindex: 0, 'aria-label': 'Remarks' }, ...lines),
  ];
}

function line(remark: Remark, kept: readonly string[]): HTMLElement {
  const warns = remark.severity === 'warn';
  return h(
    'p',
    { class: `remark is-${remark.severity}`, 'data-remark': remark.code },
    h('span', { class: 'sign', 'aria-hidden': 'true' }, warns ? '▲' : 'i'),
    remark.text,
    warns && kept.includes(remark.code) && h('span', { class: 'kept' }, 'kept as is'),
  );
}
