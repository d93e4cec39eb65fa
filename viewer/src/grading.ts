/** Pure: the answers being given, which cell is open, and the way back (undo). */
import { answerOf, places, rounded, withAnswer } from './answers.ts';
import { sameContent } from './draft.ts';
import { evidenceOf, withCell, withMarks, withoutPoints, withPoints } from './evidence.ts';
import { beside, matrixOf } from './matrix.ts';
import type { Answer, CellEvidence, Content, ImageMark, Points, Remark, Sheet } from './wire.ts';

/** A cell key, or the button at the end. */
export const SUBMIT = 'submit';

export interface Grading {
  readonly content: Content;
  readonly focus: string;
  readonly mode: 'grade' | 'reason' | 'note';
  /** The reason that waits for its note. */
  readonly reason: string | null;
  readonly criteria: boolean;
  readonly past: readonly Content[];
  readonly future: readonly Content[];
}

const LONGEST_PAST = 200;

export function begin(sheet: Sheet, content: Content, focus?: string): Grading {
  const all = places(sheet);
  const open = all.find(({ cell }) => answerOf(content.answers, cell.key) === undefined);
  const known = all.some(({ cell }) => cell.key === focus) ? focus : undefined;
  return {
    content,
    focus: known ?? open?.cell.key ?? SUBMIT,
    mode: 'grade',
    reason: null,
    criteria: false,
    past: [],
    future: [],
  };
}

const placeOf = (sheet: Sheet, key: string) => places(sheet).find(({ cell }) => cell.key === key);

export function focusOn(state: Grading, focus: string): Grading {
  return focus === state.focus && state.mode === 'grade'
    ? state
    : { ...state, focus, mode: 'grade', reason: null };
}

export function move(sheet: Sheet, state: Grading, by: 1 | -1): Grading {
  const keys = [...places(sheet).map(({ cell }) => cell.key), SUBMIT];
  const index = Math.min(keys.length - 1, Math.max(0, keys.indexOf(state.focus) + by));
  return focusOn(state, keys[index] ?? SUBMIT);
}

/** The item whose cell is open, as a matrix where it is one. */
function matrixAt(sheet: Sheet, state: Grading) {
  const item = placeOf(sheet, state.focus)?.item;
  return { item, matrix: item ? matrixOf(item) : null };
}

export function across(sheet: Sheet, state: Grading, by: 1 | -1): Grading {
  const { matrix } = matrixAt(sheet, state);
  const next = matrix && beside(matrix, state.focus, 0, by);
  return next ? focusOn(state, next) : state;
}

/** Up and down: through the rows of a matrix, then to the item before or after. */
export function step(sheet: Sheet, state: Grading, by: 1 | -1): Grading {
  const { item, matrix } = matrixAt(sheet, state);
  if (!item || !matrix) return move(sheet, state, by);
  const next = beside(matrix, state.focus, by, 0);
  if (next) return focusOn(state, next);
  const edge = by === 1 ? item.cells.at(-1) : item.cells[0];
  return edge ? move(sheet, { ...state, focus: edge.key }, by) : state;
}

export function change(state: Grading, content: Content): Grading {
  return { ...state, content, past: [...state.past, state.content].slice(-LONGEST_PAST), future: [] };
}

/** A new answer makes a kept remark about its cell open again. */
function keptWithout(content: Content, key: string, remarks: readonly Remark[]): readonly string[] {
  return content.kept.filter((code) => !remarks.some((r) => r.code === code && r.cells.includes(key)));
}

function answered(
  state: Grading,
  key: string,
  value: Answer | undefined,
  points: Points | null,
  remarks: readonly Remark[],
): Grading {
  const { content } = state;
  return change(state, {
    answers: withAnswer(content.answers, key, value),
    evidence: points
      ? withPoints(content.evidence, key, points)
      : value === undefined
        ? withCell(content.evidence, key, undefined)
        : withoutPoints(content.evidence, key),
    kept: keptWithout(content, key, remarks),
  });
}

/** Name the slice a grade was seen on, or take it back; a slice says nothing new about the answer. */
export function pin(state: Grading, key: string, seen: CellEvidence | undefined): Grading {
  const evidence = withCell(state.content.evidence, key, seen);
  return sameContent(evidence, state.content.evidence)
    ? state
    : change(state, { ...state.content, evidence });
}

export function mark(state: Grading, marks: readonly ImageMark[]): Grading {
  return change(state, { ...state.content, evidence: withMarks(state.content.evidence, marks) });
}

/** The level behind a key cap, given to the open cell; the next cell opens. */
export function grade(sheet: Sheet, state: Grading, cap: string, remarks: readonly Remark[]): Grading {
  const place = placeOf(sheet, state.focus);
  if (!place || place.item.scale.kind === 'continuous') return state;
  const level = place.item.scale.levels.find((l) => l.key === cap);
  return level ? move(sheet, answered(state, state.focus, level.code, null, remarks), 1) : state;
}

/** A typed number; it stands without points. */
export function type(state: Grading, key: string, value: number, remarks: readonly Remark[]): Grading {
  if (answerOf(state.content.answers, key) === value) return state;
  return answered(state, key, value, null, remarks);
}

/** A value with the points it was measured from; its cell opens so that it is seen. */
export function measure(
  sheet: Sheet,
  state: Grading,
  key: string,
  value: number,
  points: Points,
  remarks: readonly Remark[],
): Grading {
  const scale = placeOf(sheet, key)?.item.scale;
  if (scale?.kind !== 'continuous') return state;
  return focusOn(answered(state, key, rounded(value, scale.decimals), points, remarks), key);
}

export function askReason(state: Grading): Grading {
  return state.focus === SUBMIT ? state : { ...state, mode: 'reason', reason: null };
}

/** The reason behind a digit (1 is the first); one that needs a note waits for it. */
export function giveReason(sheet: Sheet, state: Grading, cap: string, remarks: readonly Remark[]): Grading {
  const reason = sheet.reasons[Number(cap) - 1];
  if (!reason) return state;
  if (reason.note) return { ...state, mode: 'note', reason: reason.code };
  const next = answered(state, state.focus, { not_assessable: reason.code }, null, remarks);
  return move(sheet, focusOn(next, state.focus), 1);
}

export function giveNote(sheet: Sheet, state: Grading, note: string, remarks: readonly Remark[]): Grading {
  const text = note.trim();
  if (!state.reason || text === '') return state;
  const next = answered(state, state.focus, { not_assessable: state.reason, note: text }, null, remarks);
  return move(sheet, { ...next, mode: 'grade', reason: null }, 1);
}

export function clear(state: Grading, remarks: readonly Remark[]): Grading {
  const { answers, evidence } = state.content;
  if (answerOf(answers, state.focus) === undefined && !evidenceOf(evidence, state.focus)) return state;
  return answered(state, state.focus, undefined, null, remarks);
}

export function comment(state: Grading, text: string): Grading {
  const value = text.trim() === '' ? undefined : text;
  return change(state, { ...state.content, answers: withAnswer(state.content.answers, 'comment', value) });
}

/** Warnings that still ask for a decision. */
export const openRemarks = (remarks: readonly Remark[], kept: readonly string[]): readonly Remark[] =>
  remarks.filter((remark) => remark.severity === 'warn' && !kept.includes(remark.code));

export function keep(state: Grading, codes: readonly string[]): Grading {
  const fresh = codes.filter((code) => !state.content.kept.includes(code));
  if (fresh.length === 0) return state;
  return change(state, { ...state.content, kept: [...state.content.kept, ...fresh] });
}

export function undo(state: Grading): Grading {
  const before = state.past.at(-1);
  if (!before) return state;
  return {
    ...state,
    content: before,
    past: state.past.slice(0, -1),
    future: [state.content, ...state.future],
  };
}

export function redo(state: Grading): Grading {
  const after = state.future[0];
  if (!after) return state;
  return { ...state, content: after, past: [...state.past, state.content], future: state.future.slice(1) };
}
