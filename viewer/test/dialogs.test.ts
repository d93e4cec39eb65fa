import assert from 'node:assert/strict';
import { test } from 'node:test';
import { whenFree } from '../src/dialogs.ts';

test('a question waits until the one that stands there is answered', () => {
  let standing: EventTarget | null = new EventTarget();
  Object.assign(globalThis, { document: { querySelector: () => standing } });
  let asked = 0;
  const ask = () => {
    asked += 1;
  };
  whenFree(ask);
  assert.equal(asked, 0);
  const [first, second] = [standing as EventTarget, new EventTarget()];
  standing = second;
  first.dispatchEvent(new Event('close'));
  assert.equal(asked, 0, 'another one stands there by now');
  standing = null;
  second.dispatchEvent(new Event('close'));
  assert.equal(asked, 1);
  whenFree(ask);
  assert.equal(asked, 2, 'nothing stands there');
});
