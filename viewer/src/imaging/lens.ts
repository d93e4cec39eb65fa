/** The magnifier: a square of the picture at the mouse, drawn from the stored values in the view's own window. */

import type { Spot } from './overlay.ts';
import { pixelMap } from './screen.ts';
import type { View } from './view.ts';

const SIDE_PX = 240;
const TIMES = 2.5;
/** A key held longer than this is let go of with the key; a tap leaves the lens on. */
const HELD_MS = 300;

export class Lens {
  readonly #canvas = document.createElement('canvas');
  #since = 0;
  #on = false;
  #at: { readonly view: View; readonly spot: Spot } | null = null;

  constructor() {
    this.#canvas.className = 'lens';
    this.#canvas.setAttribute('aria-hidden', 'true');
  }

  get on(): boolean {
    return this.#on;
  }

  press(): void {
    this.#on = !this.#on;
    this.#since = performance.now();
    this.#draw();
  }

  /** The key is up again: true when that ended the lens. */
  release(): boolean {
    if (!this.#on || performance.now() - this.#since < HELD_MS) return false;
    this.off();
    return true;
  }

  off(): void {
    this.#on = false;
    this.#draw();
  }

  /** Where the mouse is; null when it left the pictures. */
  over(view: View | null, spot: Spot | null): void {
    this.#at = view && spot ? { view, spot } : null;
    if (this.#on) this.#draw();
  }

  /** The picture beneath has changed. */
  refresh(view: View): void {
    if (this.#on && this.#at?.view === view) this.#draw();
  }

  #draw(): void {
    const at = this.#on ? this.#at : null;
    const picture = at?.view.picture() ?? null;
    if (!at || !picture) {
      this.#canvas.remove();
      return;
    }
    const { view, spot } = at;
    const ratio = window.devicePixelRatio || 1;
    const side = Math.round(SIDE_PX * ratio);
    this.#canvas.width = side;
    this.#canvas.height = side;
    this.#canvas.style.left = `${Math.round(spot[0] - SIDE_PX / 2)}px`;
    this.#canvas.style.top = `${Math.round(spot[1] - SIDE_PX / 2)}px`;
    const map = pixelMap(view.viewport).split(',').map(Number);
    const context = this.#canvas.getContext('2d');
    if (!context || map.length !== 6) return;
    const drawn = context.createImageData(side, side);
    enlarge(drawn.data, side, picture, map, spot, TIMES * ratio);
    context.putImageData(drawn, 0, 0);
    view.element.append(this.#canvas);
  }
}

export interface Picture {
  readonly values: ArrayLike<number>;
  readonly columns: number;
  readonly rows: number;
  readonly lower: number;
  readonly upper: number;
  readonly inverted: boolean;
}

/** Fill RGBA values; `map` is where pixel (0, 0) is on the screen, and the step of one column and one row. */
function enlarge(
  target: Uint8ClampedArray,
  side: number,
  picture: Picture,
  map: readonly number[],
  spot: Spot,
  times: number,
): void {
  const [x0, y0, cx, cy, rx, ry] = map as [number, number, number, number, number, number];
  const size = cx * ry - cy * rx;
  const range = Math.max(1e-6, picture.upper - picture.lower);
  for (let v = 0; v < side; v += 1) {
    for (let u = 0; u < side; u += 1) {
      const x = spot[0] + (u + 0.5 - side / 2) / times - x0;
      const y = spot[1] + (v + 0.5 - side / 2) / times - y0;
      const value = between(picture, (x * ry - y * rx) / size, (y * cx - x * cy) / size);
      const grey = value === null ? 0 : Math.min(1, Math.max(0, (value - picture.lower) / range));
      const shade = value === null ? 0 : 255 * (picture.inverted ? 1 - grey : grey);
      const place = 4 * (v * side + u);
      target[place] = shade;
      target[place + 1] = shade;
      target[place + 2] = shade;
      target[place + 3] = 255;
    }
  }
}

/** The value between four pixels, as the picture itself is drawn; null outside. */
function between(picture: Picture, column: number, row: number): number | null {
  const { values, columns, rows } = picture;
  if (column < -0.5 || row < -0.5 || column > columns - 0.5 || row > rows - 0.5) return null;
  const c = Math.min(columns - 1, Math.max(0, column));
  const r = Math.min(rows - 1, Math.max(0, row));
  const [c0, r0] = [Math.floor(c), Math.floor(r)];
  const [c1, r1] = [Math.min(columns - 1, c0 + 1), Math.min(rows - 1, r0 + 1)];
  const at = (i: number, j: number) => values[j * columns + i] as number;
  const upper = at(c0, r0) * (1 - (c - c0)) + at(c1, r0) * (c - c0);
  const lower = at(c0, r1) * (1 - (c - c0)) + at(c1, r1) * (c - c0);
  return upper * (1 - (r - r0)) + lower * (r - r0);
}
