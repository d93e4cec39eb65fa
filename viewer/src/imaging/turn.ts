/** Pure: stored values turned as the server says, so that they fit the metadata it sends with them. */
import type { Turn } from '../wire.ts';
import type { Pixels } from './reformat.ts';

/** `columns` and `rows` are those of the stored values. */
export function turnedValues(values: Pixels, columns: number, rows: number, turn: Turn): Pixels {
  const [wide, high] = turn.transpose ? [rows, columns] : [columns, rows];
  const Kind = values.constructor as new (size: number) => Pixels;
  const made = new Kind(values.length);
  let target = 0;
  for (let y = 0; y < high; y += 1) {
    const down = turn.reverse_rows ? high - 1 - y : y;
    for (let x = 0; x < wide; x += 1) {
      const right = turn.reverse_columns ? wide - 1 - x : x;
      made[target] = values[turn.transpose ? right * columns + down : down * columns + right] as number;
      target += 1;
    }
  }
  return made;
}
