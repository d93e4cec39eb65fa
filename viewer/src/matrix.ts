/** Pure: an item asked at many sites as rows (segments, places) and columns (sides), and the way between its cells. */
import type { Cell, Item } from './wire.ts';

export interface MatrixRow {
  readonly label: string;
  /** One place a column; null where the item is not asked. */
  readonly cells: readonly (Cell | null)[];
}

export interface Matrix {
  readonly columns: readonly string[];
  readonly rows: readonly MatrixRow[];
}

/** Fewer cells than this stand under each other, each with its levels. */
const LEAST = 3;

const unique = (values: readonly string[]): readonly string[] => [...new Set(values)];

/** The matrix of an item, or null where a list says it as well. */
export function matrixOf(item: Item): Matrix | null {
  if (item.cells.length < LEAST || item.scale.kind === 'continuous') return null;
  const rowOf = (cell: Cell) => cell.row ?? cell.label;
  const sides = unique(item.cells.map((cell) => cell.side ?? ''));
  const rows = unique(item.cells.map(rowOf)).map((label) => ({
    label,
    cells: sides.map(
      (side) => item.cells.find((cell) => rowOf(cell) === label && (cell.side ?? '') === side) ?? null,
    ),
  }));
  return { columns: sides, rows };
}

/** The cell one step up, down, left or right of another; null at the rim. Blank places are stepped over. */
export function beside(matrix: Matrix, key: string, down: number, right: number): string | null {
  let row = matrix.rows.findIndex(({ cells }) => cells.some((cell) => cell?.key === key));
  let column = matrix.rows[row]?.cells.findIndex((cell) => cell?.key === key) ?? -1;
  for (;;) {
    row += down;
    column += right;
    const place = matrix.rows[row]?.cells[column];
    if (place === undefined) return null;
    if (place) return place.key;
  }
}
