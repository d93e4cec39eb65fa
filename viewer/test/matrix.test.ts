import assert from 'node:assert/strict';
import { test } from 'node:test';
import { caseValue } from '../src/answers.ts';
import { across, begin, grade, step } from '../src/grading.ts';
import { beside, matrixOf } from '../src/matrix.ts';
import type { Cell, Item, Sheet } from '../src/wire.ts';

const cell = (item: string, site: string, row: string, side = ''): Cell => ({
  key: `${item}.${site}`,
  site,
  label: [row, side].filter(Boolean).join(', '),
  required: true,
  side,
  row,
});
const item = (code: string, cells: readonly Cell[]): Item => ({
  code,
  asked: code,
  short: code,
  required: true,
  support: false,
  combine: 'max',
  scale: {
    kind: 'ordinal',
    name: code,
    levels: [
      { code: 0, label: '0', key: '0' },
      { code: 1, label: '1', key: '1' },
    ],
  },
  cells,
});
const disc = item('disc', [cell('disc', 'index', 'L5/S1')]);
const facets = item('facets', [
  cell('facets', 'right', 'L5/S1', 'right'),
  cell('facets', 'left', 'L5/S1', 'left'),
  cell('facets', 'above_right', 'L4/5', 'right'),
  cell('facets', 'above_left', 'L4/5', 'left'),
]);
const last = item('last', [cell('last', 'case', '')]);
const SHEET = { items: [disc, facets, last], reasons: [] } as unknown as Sheet;
const at = (focus: string) => begin(SHEET, { answers: {}, evidence: {}, kept: [] }, focus);

test('one or two places stand as a list, more as rows and columns', () => {
  assert.equal(matrixOf(disc), null);
  assert.equal(matrixOf(item('two', facets.cells.slice(0, 2))), null);
  const matrix = matrixOf(facets);
  assert.deepEqual(matrix?.columns, ['right', 'left']);
  assert.deepEqual(
    matrix?.rows.map(({ label }) => label),
    ['L5/S1', 'L4/5'],
  );
});

test('a place that is not asked is blank, and stepped over', () => {
  const ragged = item('r', [
    cell('r', 'edema', 'Oedema'),
    cell('r', 'cyst', 'Cyst'),
    cell('r', 'right', '', 'right'),
    cell('r', 'left', '', 'left'),
  ]);
  const matrix = matrixOf(ragged);
  assert.ok(matrix);
  assert.deepEqual(
    matrix.rows.map(({ cells }) => cells.map((one) => one?.site ?? null)),
    [
      ['edema', null, null],
      ['cyst', null, null],
      [null, 'right', 'left'],
    ],
  );
  assert.equal(beside(matrix, 'r.edema', 0, 1), null);
  assert.equal(beside(matrix, 'r.cyst', 1, 0), null, 'nothing of its column below');
});

test('arrows walk two ways inside a matrix and leave it at its top and bottom', () => {
  assert.equal(across(SHEET, at('facets.right'), 1).focus, 'facets.left');
  assert.equal(across(SHEET, at('facets.left'), 1).focus, 'facets.left');
  assert.equal(step(SHEET, at('facets.left'), 1).focus, 'facets.above_left');
  assert.equal(step(SHEET, at('facets.above_right'), 1).focus, 'last.case');
  assert.equal(step(SHEET, at('facets.left'), -1).focus, 'disc.index');
  assert.equal(step(SHEET, at('disc.index'), 1).focus, 'facets.right', 'a plain item as ever');
  assert.equal(across(SHEET, at('disc.index'), 1).focus, 'disc.index');
});

test('a level moves on along the row, then to the next row', () => {
  const after = grade(SHEET, at('facets.left'), '1', []);
  assert.equal(after.focus, 'facets.above_right');
});

test('a neighbouring segment never makes the case value', () => {
  const cells = facets.cells.map((one) => ({ ...one, counts: !one.site.startsWith('above') }));
  const answers = { 'facets.right': 0, 'facets.left': 0, 'facets.above_right': 1 };
  assert.equal(caseValue({ ...facets, cells }, answers), 0);
});
