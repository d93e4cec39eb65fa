/** Mouse work that is ours: wheel, choosing the active view, locating, setting and dragging points. */

import type { MarkHandle } from './marks/marks.ts';
import type { Spot } from './overlay.ts';
import type { Handle } from './points.ts';

const CLICK_PX = 5;
const WHEEL_STEP = 40;
/** One slice for so many points of dragging. */
const DRAG_STEP = 10;

export interface PointerEvents {
  activate(view: HTMLElement): void;
  wheel(view: HTMLElement, by: number): void;
  full(view: HTMLElement): void;
  locate(view: HTMLElement, spot: Spot): void;
  place(view: HTMLElement, spot: Spot): void;
  drag(view: HTMLElement, at: Handle | MarkHandle, spot: Spot, done: boolean): void;
  /** The left button went down on a picture, beside every handle. */
  pressed(): void;
  /** The mouse rests over a picture, or left it. */
  hover(view: HTMLElement, spot: Spot | null): void;
  /** The left button scrolls while it is held and moved. */
  scrolling(): boolean;
  placing(): boolean;
  /** The left button shows one place of the body in all views, also while it is held. */
  pointing(): boolean;
  /** What is placed may also be drawn from point to point with the button held. */
  stretching(): boolean;
}

interface Down {
  readonly view: HTMLElement;
  readonly spot: Spot;
  readonly shift: boolean;
  /** The button is held and moved: the first point is set, the next one follows. */
  stretched: boolean;
  /** Slices scrolled since. */
  scrolled: number;
}

interface Dragged {
  readonly view: HTMLElement;
  readonly at: Handle | MarkHandle;
  moved: boolean;
  /** Where it was last seen. */
  spot: Spot;
}

const LEFT = 1;

export class Pointer {
  readonly #events: PointerEvents;
  #wheel = 0;
  #down: Down | null = null;
  #dragged: Dragged | null = null;
  #hovered: HTMLElement | null = null;

  constructor(host: HTMLElement, events: PointerEvents) {
    this.#events = events;
    host.addEventListener('wheel', (event) => this.#onWheel(event), { passive: false });
    const onMouseDown = (event: MouseEvent) => {
      if (isControl(event.target)) return;
      // The keyboard stays where it is: mouse work on images never steals the digits from the sheet.
      event.preventDefault();
    };
    host.addEventListener('mousedown', onMouseDown, true);
    host.addEventListener('contextmenu', (event) => event.preventDefault());
    host.addEventListener('pointerdown', (event) => this.#onDown(event), true);
    host.addEventListener('pointermove', (event) => this.#onMove(event));
    host.addEventListener('pointerup', (event) => this.#onUp(event));
    // The button may go up where this page hears nothing of it.
    host.addEventListener('pointercancel', () => this.#letGo());
    host.addEventListener('lostpointercapture', ({ target }) => {
      // A finger is held by what it touched first, until the view takes it over: that is no end.
      if (target === (this.#dragged ?? this.#down)?.view) this.#letGo();
    });
    host.addEventListener('dblclick', (event) => {
      const view = viewOf(event.target);
      const free = !isControl(event.target) && !handleOf(event.target);
      if (view && free && !this.#events.placing()) this.#events.full(view);
    });
  }

  #onWheel(event: WheelEvent): void {
    const view = viewOf(event.target);
    if (!view || event.ctrlKey) return;
    event.preventDefault();
    this.#wheel += event.deltaMode === WheelEvent.DOM_DELTA_PIXEL ? event.deltaY : event.deltaY * WHEEL_STEP;
    // A notch is one slice whatever the mouse reports; touch pads add up small steps.
    const steps =
      Math.abs(event.deltaY) >= WHEEL_STEP ? Math.sign(event.deltaY) : Math.trunc(this.#wheel / WHEEL_STEP);
    if (steps === 0) return;
    this.#wheel = 0;
    this.#events.wheel(view, steps);
  }

  #onDown(event: PointerEvent): void {
    const view = viewOf(event.target);
    if (!view || isControl(event.target)) return;
    this.#events.activate(view);
    const spot = within(view, event);
    const handle = handleOf(event.target);
    if (handle && event.button === 0 && !this.#events.placing()) {
      const at = placeOf(handle);
      this.#dragged = { view, at, moved: false, spot };
      view.setPointerCapture(event.pointerId);
      if ('mark' in at) this.#events.drag(view, at, spot, false);
      return;
    }
    if (event.button !== 0) return;
    this.#down = { view, spot, shift: event.shiftKey, stretched: false, scrolled: 0 };
    if (this.#events.pointing()) {
      view.setPointerCapture(event.pointerId);
      this.#events.locate(view, spot);
    }
    if (!handle) this.#events.pressed();
  }

  /** As if the button had gone up where the mouse was last seen; nothing is set or located there. */
  #letGo(): void {
    const dragged = this.#dragged;
    this.#down = null;
    this.#dragged = null;
    if (dragged) this.#endDrag(dragged);
  }

  #endDrag({ view, at, moved, spot }: Dragged): void {
    // A click on a point is no move: what was measured stays as it is.
    if (moved || 'mark' in at) this.#events.drag(view, at, spot, true);
  }

  #onMove(event: PointerEvent): void {
    if ((event.buttons & LEFT) === 0) this.#letGo();
    if (this.#dragged) {
      const { view, at } = this.#dragged;
      this.#dragged.moved = true;
      this.#dragged.spot = within(view, event);
      this.#events.drag(view, at, this.#dragged.spot, false);
      return;
    }
    if (this.#down && this.#events.pointing()) {
      this.#events.locate(this.#down.view, within(this.#down.view, event));
      return;
    }
    if (this.#dragScroll(event) || this.#stretch(event)) return;
    const view = viewOf(event.target);
    if (this.#hovered && this.#hovered !== view) this.#events.hover(this.#hovered, null);
    this.#hovered = view;
    if (view && event.buttons === 0) this.#events.hover(view, within(view, event));
  }

  #dragScroll(event: PointerEvent): boolean {
    const down = this.#down;
    if (!down || down.shift || !this.#events.scrolling()) return false;
    const steps = Math.trunc((within(down.view, event)[1] - down.spot[1]) / DRAG_STEP) - down.scrolled;
    if (steps === 0) return true;
    if (down.scrolled === 0) down.view.setPointerCapture(event.pointerId);
    down.scrolled += steps;
    this.#events.wheel(down.view, steps);
    return true;
  }

  #stretch(event: PointerEvent): boolean {
    const down = this.#down;
    if (!down || down.shift || !this.#events.stretching()) return false;
    const spot = within(down.view, event);
    if (!down.stretched && apart(spot, down.spot) > CLICK_PX) {
      down.stretched = true;
      down.view.setPointerCapture(event.pointerId);
      this.#events.place(down.view, down.spot);
    }
    if (down.stretched) this.#events.hover(down.view, spot);
    return down.stretched;
  }

  #onUp(event: PointerEvent): void {
    const dragged = this.#dragged;
    if (dragged) {
      this.#dragged = null;
      this.#endDrag({ ...dragged, spot: within(dragged.view, event) });
      return;
    }
    const down = this.#down;
    this.#down = null;
    if (!down || event.button !== 0) return;
    const spot = within(down.view, event);
    if (down.stretched) {
      if (this.#events.placing()) this.#events.place(down.view, spot);
      return;
    }
    if (apart(spot, down.spot) > CLICK_PX) return;
    if (down.shift) this.#events.locate(down.view, spot);
    else if (this.#events.placing()) this.#events.place(down.view, spot);
  }
}

/** Not by `instanceof`: in the second window elements are another realm's. */
const isElement = (target: EventTarget | null): target is Element => target !== null && 'closest' in target;

export const viewOf = (target: EventTarget | null): HTMLElement | null =>
  isElement(target) ? target.closest<HTMLElement>('.view') : null;

export const handleOf = (target: EventTarget | null): SVGElement | null =>
  isElement(target) ? target.closest<SVGElement>('.handle.movable') : null;

/** Which point of which measurement or mark a handle stands for. */
export function placeOf(handle: SVGElement): Handle | MarkHandle {
  const point = Number(handle.dataset.point);
  const { markIndex, slipCell } = handle.dataset;
  return markIndex === undefined ? { cell: slipCell ?? '', point } : { mark: Number(markIndex), point };
}

const apart = (a: Spot, b: Spot): number => Math.hypot(a[0] - b[0], a[1] - b[1]);

export const isControl = (target: EventTarget | null): boolean =>
  isElement(target) && target.closest('button, select') !== null;

export function within(view: HTMLElement, event: PointerEvent): Spot {
  const box = view.getBoundingClientRect();
  return [event.clientX - box.left - view.clientLeft, event.clientY - box.top - view.clientTop];
}
