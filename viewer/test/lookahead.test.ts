import assert from 'node:assert/strict';
import { test } from 'node:test';
import { caseAhead, slicesAhead } from '../src/lookahead.ts';

test('the slices beside the one that is seen come first, also far into a long series', () => {
  assert.deepEqual(slicesAhead(4, 2), [2, 1, 3, 4]);
  const ahead = slicesAhead(400, 300);
  assert.equal(ahead.length, 80);
  assert.deepEqual(ahead.slice(0, 3), [300, 299, 301]);
  assert.ok(ahead.every((place) => Math.abs(place - 300) <= 40));
});

test('of a case the middle slice of each series that has pictures is fetched, then the next case', () => {
  const strip = (series: string, slices: string, state: string) => ({
    dataset: { series, slices, state, version: '3' },
  });
  const strips = [strip('1', '9', 'ready'), strip('2', '9', 'excluded'), strip('3', '0', 'ready')];
  const main = { querySelector: () => ({ dataset: { pictures: '/p/', ahead: ' /a.png  /b.png ' } }) };
  assert.deepEqual(caseAhead(main as unknown as HTMLElement, strips as unknown as HTMLElement[]), [
    '/p/1/slices/5.png?v=3',
    '/a.png',
    '/b.png',
  ]);
});
