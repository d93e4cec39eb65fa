/** The marks there are: how many points each has, and what to do next. */
import type { Tool } from '../../keys.ts';
import type { MarkKind } from '../../wire.ts';

export interface Kind {
  readonly points: number;
  /** What each point is, in the order they are set. */
  readonly steps: readonly string[];
}

export const KINDS: Readonly<Record<MarkKind, Kind>> = {
  length: { points: 2, steps: ['Length: one end', 'Length: the other end'] },
  angle: { points: 3, steps: ['Angle: end of one arm', 'Angle: its corner', 'Angle: end of the other arm'] },
  ellipse: { points: 2, steps: ['Ellipse: one corner of its box', 'Ellipse: the opposite corner'] },
  point: { points: 1, steps: ['Value: click the place'] },
  arrow: { points: 2, steps: ['Arrow: its tip', 'Arrow: where its letter stands'] },
};

/** The mark a tool of the left button draws, or null where it draws none. */
export const kindOf = (tool: Tool): MarkKind | null => (tool in KINDS ? (tool as MarkKind) : null);
