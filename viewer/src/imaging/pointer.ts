/** Mouse work that is ours: wheel, choosing the active view, locating, setting and dragging points. */
import type { Spot } from './overlay.ts';
import type { Handle } from './points.ts';

const CLICK_PX = 5;
const WHEEL_STEP = 40;

export interface PointerEvents {
  activate(view: HTMLElement): void;
  wheel(view: HTMLElement, by: number): void;
  full(view: HTMLElement): void;
  locate(view: HTMLElement, spot: Spot): void;
  place(view: HTMLElement, spot: Spot): void;
  drag(view: HTMLElement, at: Handle, spot: Spot, done: boolean): void;
  /** The mouse rests over a picture, or left it. */
  hover(view: HTMLElement, spot: Spot | null): void;
  placing(): boolean;
}

export class Pointer {
  readonly #events: PointerEvents;
  #wheel = 0;
  #down: { readonly view: HTMLElement; readonly spot: Spot; readonly shift: boolean } | null = null;
  #dragged: { readonly view: HTMLElement; readonly at: Handle } | null = null;
  #hovered: HTMLElement | null = null;

  constructor(host: HTMLElement, events: PointerEvents) {
    this.#events = events;
    host.addEventListener('wheel', (event) => this.#onWheel(event), { passive: false });
    const onMouseDown = (event: MouseEvent) => {
      if (isControl(event.target)) return;
      // The keyboard stays where it is: mouse work on images never steals the digits from the sheet.
      event.preventDefault();
      // A click that sets or locates a point is ours alone; the toolkit would act on it late, with the next tool.
      if (event.button === 0 && (event.shiftKey || events.placing())) event.stopPropagation();
    };
    host.addEventListener('mousedown', onMouseDown, true);
    host.addEventListener('contextmenu', (event) => event.preventDefault());
    host.addEventListener('pointerdown', (event) => this.#onDown(event), true);
    host.addEventListener('pointermove', (event) => this.#onMove(event));
    host.addEventListener('pointerup', (event) => this.#onUp(event));
    host.addEventListener('dblclick', (event) => {
      const view = viewOf(event.target);
      if (view && !isControl(event.target) && !this.#events.placing()) this.#events.full(view);
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
    const handle = (event.target as Element).closest<SVGElement>('.handle.movable');
    if (handle && event.button === 0) {
      this.#dragged = {
        view,
        at: { cell: handle.dataset.slipCell ?? '', point: Number(handle.dataset.point) },
      };
      view.setPointerCapture(event.pointerId);
      return;
    }
    if (event.button === 0) this.#down = { view, spot, shift: event.shiftKey };
  }

  #onMove(event: PointerEvent): void {
    if (this.#dragged) {
      const { view, at } = this.#dragged;
      this.#events.drag(view, at, within(view, event), false);
      return;
    }
    const view = viewOf(event.target);
    if (this.#hovered && this.#hovered !== view) this.#events.hover(this.#hovered, null);
    this.#hovered = view;
    if (view && event.buttons === 0) this.#events.hover(view, within(view, event));
  }

  #onUp(event: PointerEvent): void {
    if (this.#dragged) {
      const { view, at } = this.#dragged;
      this.#dragged = null;
      this.#events.drag(view, at, within(view, event), true);
      return;
    }
    const down = this.#down;
    this.#down = null;
    if (!down || event.button !== 0) return;
    const spot = within(down.view, event);
    if (Math.hypot(spot[0] - down.spot[0], spot[1] - down.spot[1]) > CLICK_PX) return;
    if (down.shift) this.#events.locate(down.view, spot);
    else if (this.#events.placing()) this.#events.place(down.view, spot);
  }
}

const viewOf = (target: EventTarget | null): HTMLElement | null =>
  target instanceof Element ? target.closest<HTMLElement>('.view') : null;

const isControl = (target: EventTarget | null): boolean =>
  target instanceof Element && target.closest('button, select') !== null;

function within(view: HTMLElement, event: PointerEvent): Spot {
  const box = view.getBoundingClientRect();
  return [event.clientX - box.left - view.clientLeft, event.clientY - box.top - view.clientTop];
}
