import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Pointer, type PointerEvents } from '../src/imaging/pointer.ts';

/** A view that is its own target, and a handle in it. */
class Element extends EventTarget {
  clientLeft = 0;
  clientTop = 0;
  captured = 0;
  dataset = { markIndex: '0', point: '1' };
  readonly #handle: boolean;
  constructor(handle: boolean) {
    super();
    this.#handle = handle;
  }
  closest(selector: string): Element | null {
    return selector === '.view' || (this.#handle && selector.startsWith('.handle')) ? this : null;
  }
  getBoundingClientRect() {
    return { left: 0, top: 0 };
  }
  setPointerCapture(): void {
    this.captured += 1;
  }
}

interface Mouse {
  readonly at?: readonly [number, number];
  readonly buttons?: number;
}

/** The left button went down on a view (on a handle of it); what is heard from then on. */
function pressed(more: Partial<PointerEvents>, handle = false) {
  const view = new Element(handle);
  const heard: string[] = [];
  const no = () => false;
  const quiet = { activate() {}, wheel() {}, full() {}, pressed() {}, hover() {}, place() {} };
  new Pointer(view as unknown as HTMLElement, {
    ...quiet,
    locate: (_view, spot) => heard.push(`locate ${spot}`),
    drag: (_view, _at, spot, done) => heard.push(`${done ? 'drop' : 'drag'} ${spot}`),
    ...{ scrolling: no, placing: no, pointing: no, stretching: no, ...more },
  });
  const send = (kind: string, { at = [0, 0], buttons = 1 }: Mouse = {}) => {
    const event = new Event(kind);
    const [clientX, clientY] = at;
    view.dispatchEvent(Object.assign(event, { clientX, clientY, buttons, button: 0, pointerId: 1 }));
  };
  send('pointerdown', { at: [5, 5] });
  return { view, heard, send };
}

test('the crosshair is held by its view, and follows only while the button is down', () => {
  for (const end of ['pointercancel', 'lostpointercapture', 'button up elsewhere']) {
    const { view, heard, send } = pressed({ pointing: () => true });
    assert.equal(view.captured, 1);
    send('pointermove', { at: [6, 5] });
    if (end.startsWith('button')) send('pointermove', { at: [7, 5], buttons: 0 });
    else send(end);
    send('pointermove', { at: [8, 5] });
    assert.deepEqual(heard, ['locate 5,5', 'locate 6,5'], end);
  }
});

test('a handle whose button went up unheard stays where it was last seen', () => {
  for (const end of ['pointercancel', 'lostpointercapture', 'button up elsewhere']) {
    const { heard, send } = pressed({}, true);
    send('pointermove', { at: [9, 5] });
    if (end.startsWith('button')) send('pointermove', { at: [90, 5], buttons: 0 });
    else send(end);
    send('pointermove', { at: [50, 5], buttons: 0 });
    send('pointerup', { at: [50, 5], buttons: 0 });
    assert.deepEqual(heard, ['drag 5,5', 'drag 9,5', 'drop 9,5'], end);
  }
});
