import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Cursor } from '../src/imaging/cursor.ts';
import type { Spot } from '../src/imaging/overlay.ts';
import type { View } from '../src/imaging/view.ts';
import type { Vec3 } from '../src/wire.ts';

const node = () => ({ setAttribute() {}, append() {}, replaceChildren() {}, remove() {}, dataset: {} });
const document = { createElement: node, createElementNS: node };
Object.assign(globalThis, { window: globalThis, document });

/** A view of 100 points; so many of them are a millimetre. */
function viewOf() {
  const seen = { zoom: 1, middle: [50, 50] as Spot };
  const toScreen = ([x, y]: Vec3): Spot => [x * seen.zoom, y * seen.zoom];
  const toPatient = ([x, y]: Spot): Vec3 => [x / seen.zoom, y / seen.zoom, 0];
  const handle = {
    dataset: { markIndex: '0', point: '1' },
    querySelector: () => ({ getAttribute: (name: string) => (name === 'cx' ? '20' : '30') }),
  };
  const element = { ...node(), querySelectorAll: () => [handle] };
  const viewport = { width: 100, height: 100, middle: [50, 50], toScreen };
  const view = { stack: {}, honest: true, element, viewport, toPatient } as unknown as View;
  return { seen, view };
}

test('a point that is carried stays at its place of the patient while the view is zoomed', () => {
  const { seen, view } = viewOf();
  const heard: (Vec3 | null)[] = [];
  const cursor = new Cursor(node() as unknown as HTMLElement, {
    set: () => {},
    hover: () => {},
    drag: (on, _at, spot) => heard.push(on ? on.toPatient(spot) : null),
  });
  assert.ok(cursor.take(view, 1));
  cursor.move(view, 5, 0);
  seen.zoom = 4;
  cursor.refreshed(view);
  cursor.move(view, 0, -4);
  seen.zoom = 2;
  cursor.refreshed(view);
  cursor.set();
  assert.deepEqual(heard, [[20, 30, 0], [25, 30, 0], [25, 29, 0], [25, 29, 0]]); // biome-ignore format: a row
});
