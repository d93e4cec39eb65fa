import assert from 'node:assert/strict';
import { mock, test } from 'node:test';
import type { Bars } from '../src/bars.ts';
import { SecondWindow } from '../src/second.ts';

test('a window that is closed while its style sheets load leaves the images where they are', async () => {
  mock.timers.enable({ apis: ['setInterval'] });
  let load: (() => void) | undefined;
  const link = {
    addEventListener: (kind: string, done: () => void) => {
      if (kind === 'load') load = done;
    },
  };
  const page = {
    documentElement: { style: {} },
    head: { append() {}, replaceChildren() {} },
    createElement: (name: string) => (name === 'link' ? link : {}),
  };
  const windows: { document: object; closed: boolean; close(): void }[] = [];
  const open = () => {
    windows.push({ document: page, closed: false, close() {} });
    return windows.at(-1);
  };
  const styled = { documentElement: { lang: 'en' }, querySelectorAll: () => [{ href: '/room.css' }] };
  Object.assign(globalThis, {
    window: { open, screen: {}, addEventListener() {}, setInterval, clearInterval },
    document: styled,
    getComputedStyle: () => ({}),
  });
  // Bars without parts: whatever is moved into the window or back out of it fails.
  const second = new SecondWindow({} as Bars, { opened() {}, refused() {}, resized() {} });
  second.toggle();
  Object.assign(windows[0] as object, { closed: true });
  load?.();
  await new Promise(setImmediate);
  second.toggle();
  assert.equal(windows.length, 2, 'the next press opens another one');
  Object.assign(windows[1] as object, { closed: true });
  mock.timers.tick(1000);
  load?.();
  await new Promise(setImmediate);
  second.toggle();
  assert.equal(windows.length, 3);
  mock.timers.reset();
});
