/** Window, zoom and pan by a button that is held and moved. */
import type { Work } from '../wire.ts';
import type { Spot } from './overlay.ts';
import { handleOf, isControl, viewOf, within } from './pointer.ts';

export interface DragEvents {
  /** What a button does now; null where it does nothing of this kind. */
  work(button: number): Work | null;
  drag(view: HTMLElement, work: Work, right: number, down: number, from: Spot): void;
}

interface Held {
  readonly view: HTMLElement;
  readonly work: Work;
  readonly button: number;
  readonly from: Spot;
  last: Spot;
  captured: boolean;
}

/** By button, its bit in an event's `buttons`. */
const BITS: Readonly<Record<number, number>> = { 0: 1, 1: 4, 2: 2 };

export class Drags {
  readonly #events: DragEvents;
  #held: Held | null = null;

  constructor(host: HTMLElement, events: DragEvents) {
    this.#events = events;
    host.addEventListener('pointerdown', (event) => this.#onDown(event));
    host.addEventListener('pointermove', (event) => this.#onMove(event));
    for (const end of ['pointerup', 'pointercancel'] as const) {
      host.addEventListener(end, () => {
        this.#held = null;
      });
    }
  }

  #onDown(event: PointerEvent): void {
    const view = viewOf(event.target);
    this.#held = null;
    if (!view || isControl(event.target)) return;
    // With Shift the left button shows a place; on a handle it moves that.
    if (event.button === 0 && (event.shiftKey || handleOf(event.target))) return;
    const work = this.#events.work(event.button);
    if (work === null || work === 'scroll') return;
    const from = within(view, event);
    this.#held = { view, work, button: event.button, from, last: from, captured: false };
  }

  #onMove(event: PointerEvent): void {
    const held = this.#held;
    if (!held) return;
    if ((event.buttons & (BITS[held.button] ?? 0)) === 0) {
      this.#held = null;
      return;
    }
    const spot = within(held.view, event);
    const [right, down] = [spot[0] - held.last[0], spot[1] - held.last[1]];
    if (right === 0 && down === 0) return;
    // Only when it moves: a click belongs to what was clicked.
    if (!held.captured) held.view.setPointerCapture(event.pointerId);
    held.captured = true;
    held.last = spot;
    this.#events.drag(held.view, held.work, right, down, held.from);
  }
}
