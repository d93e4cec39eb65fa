/** The stored value under the mouse, in Hounsfield units where the series has them. */
import type { Plane } from '../geometry.ts';
import { greyUnit, valueAt } from '../measure.ts';
import type { Frame, Vec3 } from '../wire.ts';
import type { Spot } from './overlay.ts';

export interface Shown {
  readonly plane: Plane;
  readonly frame: Frame;
  /** The stored values by column and row. */
  readonly grey: (column: number, row: number) => number;
  toPatient(spot: Spot): Vec3 | null;
}

/**
 * The mouse may rest while the slice under it changes: the value is read again whenever the picture does.
 */
export class ReadOut {
  readonly #shown: () => Shown | null;
  readonly #say: (text: string) => void;
  #mouse: Spot | null = null;

  constructor(element: HTMLElement, shown: () => Shown | null, say: (text: string) => void) {
    this.#shown = shown;
    this.#say = say;
    element.addEventListener('pointermove', (event) => {
      const box = element.getBoundingClientRect();
      this.#mouse = [event.clientX - box.left, event.clientY - box.top];
      this.again();
    });
    element.addEventListener('pointerleave', () => {
      this.#mouse = null;
      this.again();
    });
  }

  again(): void {
    const shown = this.#mouse ? this.#shown() : null;
    const point = shown && this.#mouse ? shown.toPatient(this.#mouse) : null;
    const known = shown && point && greyUnit(shown.frame.metadata) === 'HU';
    const value = known ? valueAt(shown.plane, point, shown.grey) : null;
    this.#say(value === null ? '' : `${Math.round(value)} HU`);
  }
}
