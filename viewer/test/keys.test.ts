import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { type Context, KEY_LINES, type Press, resolve } from '../src/keys.ts';

const press = (key: string, more: Partial<Press> = {}): Press => ({
  key,
  code: /^\d$/.test(key) ? `Digit${key}` : key,
  shift: false,
  ctrl: false,
  alt: false,
  ...more,
});
const context = (more: Partial<Context> = {}): Context => ({
  region: 'sheet',
  typing: 'none',
  mode: 'grade',
  caps: ['0', '1'],
  ...more,
});

test('the visible focus decides what a digit does', () => {
  assert.deepEqual(resolve(press('4'), context()), { kind: 'cap', cap: '4' });
  assert.deepEqual(resolve(press('4'), context({ region: 'images' })), { kind: 'preset', key: '4' });
});

test('shift and a digit is a preset everywhere, on any keyboard', () => {
  const shifted = press('"', { code: 'Digit2', shift: true });
  assert.deepEqual(resolve(shifted, context()), { kind: 'preset', key: '2' });
  assert.deepEqual(resolve(shifted, context({ typing: 'number' })), { kind: 'preset', key: '2' });
  assert.deepEqual(resolve(press('é', { code: 'Digit2' }), context()), { kind: 'cap', cap: '2' });
  assert.deepEqual(resolve(press('7', { code: 'Numpad7' }), context()), { kind: 'cap', cap: '7' });
});

test('the number pad without Num Lock grades nothing', () => {
  assert.equal(resolve(press('End', { code: 'Numpad1' }), context()), null);
  assert.equal(resolve(press('End', { code: 'Numpad1', shift: true }), context()), null);
  const images = context({ region: 'images' });
  assert.deepEqual(resolve(press('End', { code: 'Numpad1' }), images), { kind: 'edge', to: 'last' });
  assert.deepEqual(resolve(press('ArrowDown', { code: 'Numpad2' }), context()), { kind: 'step', by: 1 });
});

test('digits are typed in a number field, but choose a reason when one is asked', () => {
  assert.equal(resolve(press('4'), context({ typing: 'number' })), null);
  assert.deepEqual(resolve(press('1'), context({ typing: 'number', mode: 'reason' })), {
    kind: 'cap',
    cap: '1',
  });
  assert.deepEqual(resolve(press('u'), context({ typing: 'number' })), { kind: 'unassessable' });
});

test('nothing but its own keys acts while text is written', () => {
  const writing = context({ typing: 'text' });
  for (const key of ['u', '4', 's', '?', 'ArrowUp', 'Enter', 'Tab', '`'])
    assert.equal(resolve(press(key), writing), null, key);
  assert.deepEqual(resolve(press('Enter', { ctrl: true }), writing), { kind: 'leave_comment' });
  assert.deepEqual(resolve(press('Escape'), writing), { kind: 'escape' });
  assert.deepEqual(resolve(press('F6'), writing), { kind: 'region' });
  assert.equal(resolve(press('z', { ctrl: true }), writing), null, 'undo stays with the text');
});

test('arrows move cells in the sheet and scroll in the images; page keys always scroll', () => {
  assert.deepEqual(resolve(press('ArrowDown'), context()), { kind: 'step', by: 1 });
  assert.deepEqual(resolve(press('ArrowLeft'), context()), { kind: 'across', by: -1 });
  assert.equal(resolve(press('ArrowLeft'), context({ typing: 'number' })), null, 'it moves in the number');
  assert.deepEqual(resolve(press('ArrowDown'), context({ region: 'images' })), { kind: 'scroll', by: 1 });
  assert.deepEqual(resolve(press('PageUp'), context()), { kind: 'scroll', by: -1 });
  assert.deepEqual(resolve(press('Tab', { shift: true }), context()), { kind: 'move', by: -1 });
  assert.equal(resolve(press('Tab'), context({ region: 'images' })), null);
});

test('space looks closer at the pictures of the criteria, from the sheet alone', () => {
  const open = (more: Partial<Context> = {}) => context({ criteria: true, ...more });
  assert.deepEqual(resolve(press(' '), open()), { kind: 'closer', by: 1 });
  assert.deepEqual(resolve(press(' ', { shift: true }), open({ typing: 'number' })), {
    kind: 'closer',
    by: -1,
  });
  assert.equal(resolve(press(' '), open({ region: 'images' })), null);
  assert.equal(resolve(press(' '), open({ typing: 'text' })), null, 'it is written');
  assert.equal(resolve(press(' '), context()), null, 'the page scrolls');
});

test('undo, redo and the switch of focus', () => {
  assert.deepEqual(resolve(press('z', { ctrl: true }), context()), { kind: 'undo' });
  assert.deepEqual(resolve(press('Z', { ctrl: true, shift: true }), context()), { kind: 'redo' });
  assert.deepEqual(resolve(press('y', { ctrl: true }), context()), { kind: 'redo' });
  assert.deepEqual(resolve(press('Dead', { code: 'Backquote' }), context()), { kind: 'region' });
});

test('browser shortcuts are left alone', () => {
  assert.equal(resolve(press('r', { ctrl: true }), context()), null);
  assert.equal(resolve(press('ArrowLeft', { alt: true }), context()), null);
});

test('with Shift the page keys turn the sheet, wherever the keyboard is; without it they scroll the images', () => {
  for (const region of ['sheet', 'images'] as const) {
    const context = { region, typing: 'none', mode: 'grade', caps: [] } as const;
    const shifted = { ...press('PageUp'), shift: true };
    assert.deepEqual(resolve(shifted, context), { kind: 'leaf', by: -1 });
    assert.deepEqual(resolve(press('PageUp'), context), { kind: 'scroll', by: -1 });
  }
});

test('KEYS.md says what the help dialog says', () => {
  const page = readFileSync('KEYS.md', 'utf8');
  for (const { keys, does } of KEY_LINES)
    assert.ok(page.includes(`| ${keys} | ${does} |`), `${keys}: ${does}`);
});

test('the evidence key comes before presets, where it needs shift and a digit', () => {
  assert.deepEqual(resolve(press('='), context()), { kind: 'pin' });
  const swiss = press('=', { code: 'Digit0', shift: true });
  for (const region of ['sheet', 'images'] as const)
    assert.deepEqual(resolve(swiss, context({ region, typing: 'number' })), { kind: 'pin' });
  assert.equal(resolve(press('='), context({ typing: 'text' })), null);
});

test('the key that removes goes to a chosen mark, else to the cell', () => {
  for (const key of ['Delete', 'Backspace']) {
    assert.deepEqual(resolve(press(key), context({ marked: true })), { kind: 'remove_mark' });
    assert.deepEqual(resolve(press(key), context({ marked: true, region: 'images' })), {
      kind: 'remove_mark',
    });
    assert.deepEqual(resolve(press(key), context()), { kind: 'clear' });
    assert.equal(resolve(press(key), context({ region: 'images' })), null);
    assert.equal(resolve(press(key), context({ marked: true, typing: 'text' })), null);
  }
  assert.equal(resolve(press('Backspace'), context({ marked: true, typing: 'number' })), null);
  assert.deepEqual(resolve(press('Delete', { shift: true }), context()), { kind: 'unpin' });
});

test('places are chosen by the digit after T, wherever the focus is; presets stay on shift', () => {
  assert.deepEqual(resolve(press('t'), context()), { kind: 'jumps' });
  const swiss = press('2', { code: 'Digit2' });
  for (const region of ['sheet', 'images'] as const)
    assert.deepEqual(resolve(swiss, context({ region, jumping: true, typing: 'number' })), {
      kind: 'jump',
      number: 2,
    });
  assert.deepEqual(resolve(swiss, context()), { kind: 'cap', cap: '2' });
  const shifted = press('"', { code: 'Digit2', shift: true });
  assert.deepEqual(resolve(shifted, context({ jumping: true })), { kind: 'preset', key: '2' });
  assert.deepEqual(resolve(press('Escape'), context({ jumping: true })), { kind: 'leave_jumps' });
  assert.equal(resolve(press('t'), context({ typing: 'text', jumping: true })), null);
});

test('shift turns blocks back and makes the crosshair of the list of places', () => {
  assert.deepEqual(resolve(press('b'), context()), { kind: 'block', by: 1 });
  assert.deepEqual(resolve(press('B', { shift: true }), context()), { kind: 'block', by: -1 });
  assert.deepEqual(resolve(press('T', { shift: true }), context()), { kind: 'tool', tool: 'cross' });
});

test('no two letters do the same, and none is a digit of a level', () => {
  const heard = new Map<string, string>();
  for (const letter of 'abcdefghijklmnopqrstuvwxyz') {
    const action = JSON.stringify(resolve(press(letter), context()));
    if (action === 'null') continue;
    assert.equal(heard.get(action), undefined, `${letter} and ${heard.get(action)}`);
    heard.set(action, letter);
    assert.equal(JSON.stringify(resolve(press(letter), context({ region: 'images' }))), action, letter);
  }
  assert.ok(heard.size > 15);
});

test('with a tool, or a point in hand, the arrows move a cursor over the picture; else they scroll', () => {
  const images = context({ region: 'images' });
  const pointing = context({ region: 'images', pointing: true });
  const fast = press('ArrowRight', { shift: true });
  assert.deepEqual(resolve(press('ArrowUp'), pointing), { kind: 'cursor', right: 0, down: -1 });
  assert.deepEqual(resolve(fast, pointing), { kind: 'cursor', right: 12, down: 0 });
  assert.deepEqual(resolve(press('Enter'), pointing), { kind: 'set_cursor' });
  assert.deepEqual(resolve(press('PageDown'), pointing), { kind: 'scroll', by: 1 });
  assert.deepEqual(resolve(press('ArrowUp'), images), { kind: 'scroll', by: -1 });
  assert.deepEqual(resolve(press('ArrowUp'), context({ pointing: true })), { kind: 'step', by: -1 });
  assert.deepEqual(resolve(press('Enter'), context({ pointing: true })), { kind: 'accept' });
  assert.deepEqual(resolve(press('.'), images), { kind: 'take_point', by: 1 });
  assert.equal(resolve(press('.'), context({ typing: 'number' })), null, 'a decimal point is typed');
  assert.deepEqual(resolve(press('-'), images), { kind: 'zoom', by: -1 });
  assert.equal(resolve(press('-'), context({ typing: 'number' })), null, 'a sign is typed');
  const held = press('ArrowLeft', { ctrl: true });
  assert.deepEqual(resolve(held, pointing), { kind: 'work', right: -12, down: 0 });
  assert.equal(resolve(held, context({ typing: 'number' })), null);
});
