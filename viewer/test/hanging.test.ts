import assert from 'node:assert/strict';
import { test } from 'node:test';
import { firstFrames, startIndex } from '../src/imaging/hanging.ts';
import type { Frame, Sheet, Stack } from '../src/wire.ts';

const stack = (count: number, index_slice?: number | null) => ({
  frames: Array.from({ length: count }, () => ({}) as Frame),
  ...(index_slice === undefined ? {} : { index_slice }),
});

test('a view at the index disc opens where the server says, else in the middle', () => {
  assert.equal(startIndex('index_disc', stack(12, 10)), 10);
  assert.equal(startIndex('index_disc', stack(12, 99)), 11);
  assert.equal(startIndex('index_disc', stack(12, null)), 6);
  assert.equal(startIndex('index_disc', stack(12)), 6);
});

test('only such a view does', () => {
  assert.equal(startIndex('middle', stack(12, 10)), 6);
  assert.equal(startIndex('first', stack(12, 10)), 0);
  assert.equal(startIndex('last', stack(12, 10)), 11);
});

test('the first images are those of the start layout, each at its start slice, where the case has the role', () => {
  const view = (role: string, start: string) => ({ role, start, preset: '1' });
  const sheet = {
    layouts: [
      { views: [view('SAG_T2', 'middle'), view('AX_T2', 'index_disc'), view('COR', 'middle')] },
      { views: [view('SAG_T1', 'middle')] },
    ],
  } as unknown as Sheet;
  const of = (role: string, more: object) =>
    ({
      role,
      frames: ['a', 'b', 'c'].map((name) => ({ image: `${role}/${name}` })),
      ...more,
    }) as unknown as Stack;
  const stacks = [of('SAG_T1', {}), of('AX_T2', { index_slice: 2 }), of('SAG_T2', {})];
  assert.deepEqual(
    firstFrames(sheet, stacks).map(({ image }) => image),
    ['SAG_T2/b', 'AX_T2/c'],
  );
});
