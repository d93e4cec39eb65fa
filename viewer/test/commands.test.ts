import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Answering } from '../src/answering.ts';
import type { Bars } from '../src/bars.ts';
import { Commands } from '../src/commands.ts';
import type { Images } from '../src/imaging/index.ts';
import type { Submission } from '../src/submission.ts';

class Field extends EventTarget {
  value = '';
  maxLength = 8;
  selectionStart = 0;
  selectionEnd = 0;
  classList = { contains: (name: string) => name === 'typed-number' };
  matches(): boolean {
    return false;
  }
  setRangeText(text: string, start: number, end: number): void {
    this.value = this.value.slice(0, start) + text + this.value.slice(end);
    this.selectionStart = start + text.length;
    this.selectionEnd = this.selectionStart;
  }
}
class Page extends EventTarget {
  activeElement: Field | null = null;
  querySelector(): null {
    return null;
  }
}
const window = { focus() {} };
Object.assign(globalThis, { window, HTMLInputElement: Field, HTMLTextAreaElement: class {} });

/** The room with a number in the open cell, all of it selected as when the cell opens. */
function room(value: string) {
  const [page, second] = [new Page(), new Page()];
  Object.assign(globalThis, { document: page });
  const field = new Field();
  Object.assign(field, { value, selectionEnd: value.length });
  page.activeElement = field;
  const heard: string[] = [];
  const state = { mode: 'grade' };
  const move = (by: number) => heard.push(`move ${by}`);
  const answering = { state, caps: () => [], atStart: () => false, move };
  const released = () => heard.push('released');
  const images = { tools: { marked: false, keys: { pointing: false }, release: released } };
  const sheet = new EventTarget();
  const list = { contains: () => true };
  const bars = { sheet, list, images: { contains: () => false }, jumping: false, jumps() {} };
  const commands = new Commands(
    bars as unknown as Bars,
    answering as unknown as Answering,
    {} as Submission,
    () => images as unknown as Images,
    () => {},
    () => {},
  );
  commands.listen(second as unknown as Document);
  const press = (on: Page, key: string, more: object = {}) => {
    const event = new Event('keydown', { cancelable: true });
    on.dispatchEvent(Object.assign(event, { key, code: '', view: { document: on }, ...more }));
    return event.defaultPrevented;
  };
  return { field, heard, press, sheet, page, second };
}

test('a number typed in the second window takes the place of what is selected', () => {
  const { field, press, second } = room('6.0');
  press(second, '5');
  assert.equal(field.value, '5');
  press(second, '.');
  press(second, '2');
  press(second, 'Backspace');
  assert.equal(field.value, '5.');
  Object.assign(field, { selectionStart: 0, selectionEnd: 2 });
  press(second, 'Backspace');
  assert.equal(field.value, '');
});

test('what is typed in the second window stays within the field, and its short cuts type nothing', () => {
  const { field, press, second } = room('');
  for (const digit of '1234567890') press(second, digit);
  assert.equal(field.value, '12345678');
  press(second, 'Backspace', { ctrlKey: true });
  press(second, '1', { metaKey: true });
  assert.equal(field.value, '12345678');
});

test('Tab walks the cells on the page of the sheet, and is the second window’s own there', () => {
  const { heard, press, page, second } = room('');
  assert.equal(press(second, 'Tab'), false);
  assert.equal(press(page, 'Tab'), true);
  assert.deepEqual(
    heard.filter((one) => one.startsWith('move')),
    ['move 1'],
  );
});

test('typing on the sheet lets go of a chosen mark', () => {
  const { heard, sheet } = room('');
  sheet.dispatchEvent(new Event('input'));
  assert.deepEqual(heard, ['released']);
});
