/**
 * A place on the active picture that is moved with the keys: it sets points, shows places, and carries points that are
 * set already. What the mouse does, by the same doors.
 */
import type { Vec3 } from '../wire.ts';
import type { MarkHandle } from './marks/marks.ts';
import { type Spot, shape } from './overlay.ts';
import { placeOf } from './pointer.ts';
import type { Handle } from './points.ts';
import { toScreen } from './screen.ts';
import type { View } from './view.ts';

export interface CursorEvents {
  /** A point is set, or a place shown, there. */
  set(view: View, spot: Spot): void;
  hover(view: View, spot: Spot | null): void;
  /** No view: what was begun is put back. */
  drag(view: View | null, at: Handle | MarkHandle, spot: Spot, done: boolean): void;
}

const ARM = 14;
const GAP = 4;
/** The place is told when the keys rest. */
const TELL_MS = 250;

export class Cursor {
  readonly #events: CursorEvents;
  readonly #voice: HTMLElement;
  readonly #layer: SVGElement;
  #view: View | null = null;
  #spot: Spot = [0, 0];
  /** The place in the patient that it stands at; what lies below a spot of the screen changes with zoom and size. */
  #at: Vec3 | null = null;
  #carried: Handle | MarkHandle | null = null;
  #timer = 0;

  constructor(host: HTMLElement, events: CursorEvents) {
    this.#events = events;
    this.#voice = document.createElement('p');
    this.#voice.className = 'hidden-label';
    this.#voice.setAttribute('role', 'status');
    host.append(this.#voice);
    const sheet = document.createElement('div');
    this.#layer = shape('svg', { class: 'marks keyboard-cursor', 'aria-hidden': 'true' }, sheet);
  }

  /** A point that is set already is being moved. */
  get carries(): boolean {
    return this.#carried !== null;
  }

  /** Stand in the middle of a view, unless it stands there already. */
  begin(view: View | null): void {
    if (!view?.stack || view === this.#view) return;
    this.end();
    this.#view = view;
    this.#to(view.viewport.middle);
  }

  move(view: View | null, right: number, down: number): void {
    // A carried point stays on its slice: another view does not take it over.
    if (!this.#carried) this.begin(view);
    const here = this.#view;
    if (!here) return;
    const { width, height } = here.viewport;
    const [x, y] = this.#spot;
    this.#to([along(x, right, width), along(y, down, height)]);
    if (this.#carried) this.#events.drag(here, this.#carried, this.#spot, false);
    else this.#events.hover(here, this.#spot);
  }

  /** Set a point, or let go of the carried one. */
  set(): void {
    const [view, carried] = [this.#view, this.#carried];
    if (!view) return;
    if (!carried) {
      this.#events.set(view, this.#spot);
      return;
    }
    this.#carried = null;
    this.#events.drag(view, carried, this.#spot, true);
    this.end();
    this.tell('Point set');
  }

  /** Take the next or the previous point that is set on the picture; false where there is none. */
  take(view: View | null, by: 1 | -1): boolean {
    if (!view) return false;
    const before = this.#carried;
    this.putBack();
    const all = [...view.element.querySelectorAll<SVGElement>('.handle.movable[data-point]')].filter(
      (one) => one.querySelector('.grip') !== null,
    );
    const index = all.findIndex((one) => before && same(placeOf(one), before));
    const next = all[index < 0 ? (by === 1 ? 0 : all.length - 1) : (index + by + all.length) % all.length];
    const grip = next?.querySelector('.grip');
    if (!next || !grip) {
      this.tell('No point on this slice');
      return false;
    }
    this.#view = view;
    this.#to([Number(grip.getAttribute('cx')), Number(grip.getAttribute('cy'))]);
    this.#carried = placeOf(next);
    this.#events.drag(view, this.#carried, this.#spot, false);
    return true;
  }

  /** A carried point goes back where it was; false when none is carried. */
  putBack(): boolean {
    const carried = this.#carried;
    if (!carried) return false;
    this.#carried = null;
    this.#events.drag(null, carried, this.#spot, true);
    this.end();
    return true;
  }

  end(): void {
    this.#carried = null;
    window.clearTimeout(this.#timer);
    if (this.#view) this.#events.hover(this.#view, null);
    this.#view = null;
    this.#layer.replaceChildren();
    this.#layer.remove();
  }

  /** A view shows another slice: a point that was carried on it belongs to the one before. */
  left(view: View): void {
    if (view === this.#view) this.putBack();
  }

  /** A view was zoomed, moved or has another size: the same place of the patient lies elsewhere on the screen. */
  refreshed(view: View): void {
    if (view === this.#view && this.#at) this.#draw(view, toScreen(view.viewport, this.#at));
  }

  tell(text: string): void {
    this.#voice.textContent = text;
  }

  #to(spot: Spot): void {
    const view = this.#view;
    if (!view) return;
    this.#at = view.toPatient(spot);
    this.#draw(view, spot);
    window.clearTimeout(this.#timer);
    this.#timer = window.setTimeout(() => this.tell(this.#words(view)), TELL_MS);
  }

  #draw(view: View, [x, y]: Spot): void {
    this.#spot = [x, y];
    view.element.append(this.#layer);
    this.#layer.replaceChildren();
    const d = `M${x - ARM} ${y}H${x - GAP}M${x + GAP} ${y}H${x + ARM}M${x} ${y - ARM}V${y - GAP}M${x} ${y + GAP}V${y + ARM}`;
    shape('path', { d, class: 'casing' }, this.#layer);
    shape('path', { d, class: 'line' }, this.#layer);
    view.element.dataset.cursor = `${x.toFixed(1)},${y.toFixed(1)}`;
  }

  /** Where it stands in the patient, in millimetres from the scanner's middle. */
  #words(view: View): string {
    const point = view.honest ? view.toPatient(this.#spot) : null;
    if (!point) return 'No position here';
    const sides = ['RL', 'AP', 'FH'] as const;
    const parts = point.map(
      (mm, axis) => `${sides[axis]?.charAt(mm >= 0 ? 1 : 0)} ${Math.abs(mm).toFixed(1)}`,
    );
    return `Cursor at ${parts.join(', ')} mm`;
  }
}

/** It is not moved out of the picture; where a zoom has put it there, it does not jump back. */
const along = (from: number, by: number, size: number): number =>
  Math.min(Math.max(size, from), Math.max(Math.min(0, from), from + by));

const same = (a: Handle | MarkHandle, b: Handle | MarkHandle): boolean =>
  JSON.stringify(a) === JSON.stringify(b);
