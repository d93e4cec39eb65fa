/** Pure: the evidence document, by cell and by mark. */
import { centre, type Plane, planeName, planeOf } from './geometry.ts';
import type { CellEvidence, Evidence, ImageMark, Points, Stack } from './wire.ts';

const MARKS = 'marks';

const isList = (value: CellEvidence | readonly ImageMark[] | undefined): value is readonly ImageMark[] =>
  Array.isArray(value);

export function evidenceOf(evidence: Evidence, cell: string): CellEvidence | undefined {
  const found = evidence[cell];
  return isList(found) ? undefined : found;
}

export function marksOf(evidence: Evidence): readonly ImageMark[] {
  const found = evidence[MARKS];
  return isList(found) ? found : [];
}

/** The three points of every measured cell. */
export function measuredCells(
  evidence: Evidence,
): readonly { readonly cell: string; readonly points: Points }[] {
  return Object.keys(evidence).flatMap((cell) => {
    const { uid, points_lps_mm } = evidenceOf(evidence, cell) ?? {};
    return uid !== undefined && points_lps_mm ? [{ cell, points: { uid, points_lps_mm } }] : [];
  });
}

function without(evidence: Evidence, key: string): Evidence {
  return Object.fromEntries(Object.entries(evidence).filter(([name]) => name !== key));
}

export const withCell = (evidence: Evidence, cell: string, seen: CellEvidence | undefined): Evidence =>
  seen ? { ...without(evidence, cell), [cell]: seen } : without(evidence, cell);

/** A measured cell keeps how it was looked at while its points move on the same image. */
export function withPoints(evidence: Evidence, cell: string, points: Points): Evidence {
  const before = evidenceOf(evidence, cell);
  return withCell(evidence, cell, before?.uid === points.uid ? { ...before, ...points } : points);
}

/** The value was given without points: what is left is the slice, where one was named. */
export function withoutPoints(evidence: Evidence, cell: string): Evidence {
  const before = evidenceOf(evidence, cell);
  if (!before?.points_lps_mm) return evidence;
  const { points_lps_mm: _, ...seen } = before;
  return withCell(evidence, cell, seen.window ? seen : undefined);
}

export const withMarks = (evidence: Evidence, marks: readonly ImageMark[]): Evidence =>
  marks.length > 0 ? { ...without(evidence, MARKS), [MARKS]: marks } : without(evidence, MARKS);

/** The first letter no arrow of the reading has yet; after Z they begin anew. */
export function nextLetter(marks: readonly ImageMark[]): string {
  const used = new Set(marks.map((mark) => mark.label));
  const letters = Array.from({ length: 26 }, (_, index) => String.fromCharCode(65 + index));
  return letters.find((letter) => !used.has(letter)) ?? 'A';
}

/** A slice in the words that stand on it: "Sagittal T2 7/15". */
export function sliceName(stacks: readonly Stack[], uid: string): string {
  for (const { title, frames } of stacks) {
    const index = frames.findIndex((frame) => frame.uid === uid);
    if (index >= 0) return `${title} ${index + 1}/${frames.length}`;
  }
  return 'a slice that is gone';
}

/** Without what names an image the case no longer has: nobody could see or remove it, and no save would be taken. */
export function onlyOf(evidence: Evidence, stacks: readonly Stack[]): Evidence {
  const known = new Set(stacks.flatMap(({ frames }) => frames.map((frame) => frame.uid)));
  const cells = Object.keys(evidence).filter((cell) => {
    const seen = evidenceOf(evidence, cell);
    return seen !== undefined && known.has(seen.uid);
  });
  const marks = marksOf(evidence).filter((mark) => known.has(mark.uid));
  return withMarks(Object.fromEntries(cells.map((cell) => [cell, evidence[cell] as CellEvidence])), marks);
}

/** Farther than this from the middle, a sagittal slice shows one side only; as on the server, mm. */
const BEYOND_MIDLINE_MM = 10;

/**
 * A sagittal slice that lies clearly on the side of the patient that is not meant. The middle of its series is the
 * patient's only where that covers both sides: a series across the patient has to say the same.
 */
export function onOtherSide(stacks: readonly Stack[], uid: string, side: string | undefined): boolean {
  const home = side ? stacks.find(({ frames }) => frames.some((frame) => frame.uid === uid)) : undefined;
  const frame = home?.frames.find((one) => one.uid === uid);
  const plane = frame && planeOf(frame.metadata);
  const own = home && middleOf(home);
  if (!plane || !own || planeName(plane) !== 'sagittal') return false;
  const across = stacks.flatMap((stack) => {
    const middle = stack === home ? null : middleOf(stack);
    const told =
      middle && planeName(middle) !== 'sagittal' && middle.frameOfReference === own.frameOfReference;
    return told ? [centre(middle)[0]] : [];
  });
  if (across.length === 0) return false;
  const [at, middles] = [centre(plane)[0], [centre(own)[0], ...across]];
  const beyond = side === 'right' ? at - Math.max(...middles) : Math.min(...middles) - at;
  return beyond > BEYOND_MIDLINE_MM;
}

function middleOf({ frames }: Stack): Plane | null {
  const frame = frames[Math.floor(frames.length / 2)];
  return frame ? planeOf(frame.metadata) : null;
}
