/** Pure reading of answers against the sheet: words, gaps, case values, typed numbers. */
import type { Answer, Answers, Cell, ContinuousScale, Item, NotAssessable, Sheet } from './wire.ts';

export interface Place {
  readonly item: Item;
  readonly cell: Cell;
}

export const places = (sheet: Sheet): readonly Place[] =>
  sheet.items.flatMap((item) => item.cells.map((cell) => ({ item, cell })));

export const isNotAssessable = (value: unknown): value is NotAssessable =>
  typeof value === 'object' && value !== null && 'not_assessable' in value;

export function answerOf(answers: Answers, key: string): Answer | undefined {
  const value = answers[key];
  return typeof value === 'string' ? undefined : value;
}

export function commentOf(answers: Answers): string {
  const value = answers.comment;
  return typeof value === 'string' ? value : '';
}

/** A new document with one cell set, or cleared when `value` is undefined. */
export function withAnswer(answers: Answers, key: string, value: Answer | string | undefined): Answers {
  const rest = Object.fromEntries(Object.entries(answers).filter(([name]) => name !== key));
  return value === undefined ? rest : { ...rest, [key]: value };
}

/** With a minus in place of the hyphen: no line ends behind it. */
export const signed = (number: string): string => number.replace('-', '−');

/** The value in words: a level's label, a number with its unit, or the reason it could not be assessed. */
export function words(sheet: Sheet, item: Item, value: Answer | undefined): string {
  if (value === undefined) return '';
  if (isNotAssessable(value)) {
    const reason = sheet.reasons.find((r) => r.code === value.not_assessable);
    return `not assessable: ${value.note || (reason?.label ?? value.not_assessable).toLowerCase()}`;
  }
  if (item.scale.kind === 'continuous')
    return signed(`${value.toFixed(item.scale.decimals)} ${item.scale.unit}`);
  return item.scale.levels.find((level) => level.code === value)?.label ?? String(value);
}

/** One line for a closed row: "R intra · L trans" or "IV". */
export function summary(sheet: Sheet, item: Item, answers: Answers): string {
  const parts: string[] = [];
  for (const cell of item.cells) {
    const value = answerOf(answers, cell.key);
    if (value === undefined) continue;
    const text = isNotAssessable(value) ? 'not assess.' : words(sheet, item, value);
    parts.push(item.cells.length > 1 ? `${shortLabel(item, cell)} ${text}` : text);
  }
  return parts.join(' · ');
}

/** R and L where the sites are just the two sides, else the label. */
function shortLabel(item: Item, cell: Cell): string {
  const plain = item.cells.every((c) => c.side && c.label.toLowerCase() === c.side.toLowerCase());
  return plain ? cell.label.charAt(0) : cell.label;
}

export type Standing = 'open' | 'part' | 'answered' | 'unassessable';

/** Judged over the cells that are asked for; over all where none is. */
export function standing(item: Item, answers: Answers): Standing {
  const required = item.cells.filter((cell) => isRequired({ item, cell }));
  const asked = required.length > 0 ? required : item.cells;
  const given = asked.map((cell) => answerOf(answers, cell.key)).filter((value) => value !== undefined);
  if (given.length === 0) return 'open';
  if (given.length < asked.length) return 'part';
  return given.every(isNotAssessable) ? 'unassessable' : 'answered';
}

export const isRequired = ({ item, cell }: Place): boolean => cell.required ?? item.required;

export const missing = (sheet: Sheet, answers: Answers): readonly Place[] =>
  places(sheet).filter((place) => isRequired(place) && answerOf(answers, place.cell.key) === undefined);

export function progress(sheet: Sheet, answers: Answers): { readonly done: number; readonly of: number } {
  const asked = sheet.items.filter((item) => item.required);
  const open = new Set(missing(sheet, answers).map(({ item }) => item.code));
  return { done: asked.filter((item) => !open.has(item.code)).length, of: asked.length };
}

/**
 * The case value of an item asked at several sites: the highest, or null while it is not determined.
 * One site that could not be assessed leaves the value open unless another already has the highest code.
 */
export function caseValue(item: Item, answers: Answers): number | null {
  if (item.scale.kind === 'continuous' || item.combine !== 'max') return null;
  const counting = item.cells.filter((cell) => cell.counts !== false);
  const values = counting.map((cell) => answerOf(answers, cell.key));
  if (values.some((value) => value === undefined)) return null;
  const numbers = values.filter((value): value is number => typeof value === 'number');
  if (numbers.length === 0) return null;
  const highest = Math.max(...numbers);
  const top = Math.max(...item.scale.levels.map((level) => level.code));
  return numbers.length === values.length || highest === top ? highest : null;
}

export type Typed = { readonly value: number } | { readonly problem: string };

/** A typed number in the reader's own notation (comma or point), checked against the scale. */
export function parseTyped(text: string, scale: ContinuousScale): Typed {
  const clean = text.trim().replace(',', '.').replace('−', '-');
  if (!/^[-+]?(\d+\.?\d*|\.\d+)$/.test(clean)) return { problem: `Give a number in ${scale.unit}.` };
  const value = Number(clean);
  if (value < scale.low || value > scale.high) {
    return { problem: signed(`Between ${scale.low} and ${scale.high} ${scale.unit}.`) };
  }
  return { value: rounded(value, scale.decimals) };
}

/** Rounded half away from zero, never a negative zero. */
export function rounded(value: number, decimals: number): number {
  const factor = 10 ** decimals;
  return (Math.sign(value) * Math.round(Math.abs(value) * factor + 1e-9)) / factor + 0;
}
