import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as a from '../src/answers.ts';
import * as g from '../src/grading.ts';
import type { Content, Item, Remark, Sheet } from '../src/wire.ts';

const levels = (...labels: readonly string[]) =>
  labels.map((label, code) => ({ code, label, criteria: '', key: String(code) }));
const item = (code: string, more: Partial<Item> = {}): Item => ({
  code,
  asked: code,
  short: code,
  required: true,
  support: false,
  combine: 'only',
  scale: { kind: 'ordinal', name: code, levels: levels('none', 'some', 'much') },
  cells: [{ key: `${code}.case`, site: 'case', label: '' }],
  ...more,
});
const SIDED = item('sided', {
  combine: 'max',
  cells: [
    { key: 'sided.right', site: 'right', label: 'Right', side: 'right' },
    { key: 'sided.left', site: 'left', label: 'Left', side: 'left' },
  ],
});
const SLIP = item('slip', {
  scale: {
    kind: 'continuous',
    name: 'Slip',
    unit: 'mm',
    low: -20,
    high: 60,
    decimals: 1,
    tool: 'three_points',
  },
});
const SHEET: Sheet = {
  protocol: 'tiny',
  version: 1,
  form: 'mr',
  title: 'Form',
  modality: 'MR',
  reasons: [
    { code: 'artefact', label: 'Artefact', note: false },
    { code: 'other', label: 'Other', note: true },
  ],
  items: [item('disc'), SIDED, SLIP, item('extra', { required: false, support: true })],
  layouts: [],
  linked: [],
  presets: [],
};
const EMPTY: Content = { answers: {}, evidence: {}, kept: [] };

test('digits grade and move on to the next cell, at the end to submit', () => {
  let state = g.begin(SHEET, EMPTY);
  for (const cap of ['2', '0', '1']) state = g.grade(SHEET, state, cap, []);
  assert.deepEqual(state.content.answers, { 'disc.case': 2, 'sided.right': 0, 'sided.left': 1 });
  assert.equal(state.focus, 'slip.case');
  assert.equal(g.grade(SHEET, state, '1', []), state, 'a digit is no level of a measurement');
  state = g.grade(SHEET, g.move(SHEET, state, 1), '0', []);
  assert.equal(state.focus, g.SUBMIT);
  assert.equal(g.grade(SHEET, g.begin(SHEET, EMPTY), '7', []).focus, 'disc.case');
});

test('a reading opens at its first open cell, or where it was left', () => {
  const content = { ...EMPTY, answers: { 'disc.case': 1 } };
  assert.equal(g.begin(SHEET, content).focus, 'sided.right');
  assert.equal(g.begin(SHEET, content, 'slip.case').focus, 'slip.case');
  assert.equal(g.begin(SHEET, content, 'gone.case').focus, 'sided.right');
});

test('not assessable asks for a reason, and "other" for a note', () => {
  let state = g.askReason(g.begin(SHEET, EMPTY));
  state = g.giveReason(SHEET, state, '1', []);
  assert.deepEqual(state.content.answers['disc.case'], { not_assessable: 'artefact' });
  assert.equal(state.focus, 'sided.right');
  state = g.giveReason(SHEET, g.askReason(state), '2', []);
  assert.equal(state.mode, 'note');
  assert.equal(g.giveNote(SHEET, state, '   ', []), state);
  state = g.giveNote(SHEET, state, ' blurred ', []);
  assert.deepEqual(state.content.answers['sided.right'], { not_assessable: 'other', note: 'blurred' });
  assert.equal(state.mode, 'grade');
});

test('a typed value drops the points it no longer comes from; undo brings both back', () => {
  const points = { uid: '1.2', points_lps_mm: [] };
  const measured = g.measure(SHEET, g.begin(SHEET, EMPTY), 'slip.case', 8.24, points, []);
  assert.equal(measured.content.answers['slip.case'], 8.2);
  assert.deepEqual(measured.content.evidence['slip.case'], points);
  const typed = g.type(measured, 'slip.case', 9, []);
  assert.deepEqual(typed.content.evidence, {});
  const back = g.undo(typed);
  assert.deepEqual(back.content, measured.content);
  assert.deepEqual(g.redo(back).content, typed.content);
});

test('a pinned slice stays with its cell when the grade changes, and goes when the cell is cleared', () => {
  const seen = { uid: '1.2', window: { width: 400, level: 40 } };
  let state = g.pin(g.begin(SHEET, EMPTY), 'disc.case', seen);
  assert.equal(g.pin(state, 'disc.case', { ...seen }), state, 'the same slice again is no change');
  state = g.mark(state, [{ kind: 'point', uid: '1.2', points_lps_mm: [[1, 2, 3]] }]);
  for (const cap of ['2', '1']) state = g.grade(SHEET, g.focusOn(state, 'disc.case'), cap, []);
  assert.deepEqual(state.content.evidence['disc.case'], seen);
  const cleared = g.clear(g.focusOn(state, 'disc.case'), []);
  assert.deepEqual(Object.keys(cleared.content.evidence), ['marks']);
  assert.equal(g.clear(cleared, []), cleared);
  assert.deepEqual(g.undo(cleared).content.evidence['disc.case'], seen);
});

test('a kept remark opens again when one of its answers changes', () => {
  const remarks: Remark[] = [{ code: 'C1', text: '', cells: ['disc.case'], severity: 'warn' }];
  let state = g.keep(g.grade(SHEET, g.begin(SHEET, EMPTY), '1', []), ['C1']);
  assert.deepEqual(g.openRemarks(remarks, state.content.kept), []);
  state = g.grade(SHEET, g.focusOn(state, 'disc.case'), '2', remarks);
  assert.deepEqual(state.content.kept, []);
});

test('the case value is the higher side, and open while a side could still raise it', () => {
  const value = (right: unknown, left: unknown) =>
    a.caseValue(SIDED, { 'sided.right': right, 'sided.left': left } as never);
  const none = { not_assessable: 'artefact' };
  assert.equal(value(1, 0), 1);
  assert.equal(value(1, undefined), null);
  assert.equal(value(1, none), null);
  assert.equal(value(2, none), 2);
  assert.equal(value(none, none), null);
});

test('numbers are read with comma or point, within the scale, at its precision', () => {
  const { scale } = SLIP;
  assert.ok(scale.kind === 'continuous');
  assert.deepEqual(a.parseTyped('8,25', scale), { value: 8.3 });
  assert.deepEqual(a.parseTyped('-2.5', scale), { value: -2.5 });
  assert.deepEqual(a.parseTyped('-0.04', scale), { value: 0 });
  assert.ok('problem' in a.parseTyped('61', scale));
  assert.ok('problem' in a.parseTyped('8.2.1', scale));
  assert.ok('problem' in a.parseTyped('', scale));
});

test('progress counts asked items, missing names their open cells', () => {
  const answers = { 'disc.case': 1, 'sided.right': 0 };
  assert.deepEqual(a.progress(SHEET, answers), { done: 1, of: 3 });
  assert.deepEqual(
    a.missing(SHEET, answers).map(({ cell }) => cell.key),
    ['sided.left', 'slip.case'],
  );
  assert.equal(a.summary(SHEET, SIDED, { 'sided.right': 2, 'sided.left': 0 }), 'R much · L none');
  assert.equal(a.words(SHEET, SLIP, 8.2), '8.2 mm');
  assert.equal(a.words(SHEET, SLIP, -3), '−3.0 mm');
});

test('an item stands where the cells stand that are asked for; a neighbour may stay open', () => {
  const one = item('levels', {
    cells: [
      { key: 'levels.main', site: 'main', label: 'Main' },
      { key: 'levels.above', site: 'above', label: 'Above', required: false },
    ],
  });
  const none = { not_assessable: 'artefact' };
  assert.equal(a.standing(one, {}), 'open');
  assert.equal(a.standing(one, { 'levels.above': 1 }), 'open');
  assert.equal(a.standing(one, { 'levels.main': 1 }), 'answered');
  assert.equal(a.standing(one, { 'levels.main': none }), 'unassessable');
  assert.equal(a.standing(SIDED, { 'sided.right': 1 }), 'part');
  const optional = item('extra', { ...SIDED, required: false });
  assert.equal(a.standing(optional, { 'sided.right': 1 }), 'part');
});
