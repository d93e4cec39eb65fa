import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Cargo, type Item, inBytes, Load, Pace, timeLeft } from '../src/upload/load.ts';

const file = (size: number) => ({ size, slice: () => new Blob() });
const item = (path: string, size: number): Item => ({
  path,
  file: file(size),
  number: 0,
  sent: 0,
  state: 'waiting',
  reason: '',
});
const whole = (cargo: Cargo) =>
  cargo.parts.map(({ item: { number }, offset, size }) => ({
    number,
    received: offset + size,
    code: '',
    detail: '',
  }));

function load(...sizes: number[]): { load: Load; items: Item[] } {
  const made = new Load(100, 3);
  const items = sizes.map((size, place) => item(`f${place}`, size));
  for (const [place, one] of items.entries()) made.add(one, place + 1, 0);
  return { load: made, items };
}

const parts = (cargo: Cargo | null) => cargo?.parts.map((part) => [part.item.path, part.offset, part.size]);

test('small files share a request, up to its size and number', () => {
  const { load: made } = load(40, 40, 40, 5, 5, 5, 5);
  assert.deepEqual(parts(made.next()), [['f0', 0, 40], ['f1', 0, 40]]); // biome-ignore format: a row
  assert.deepEqual(parts(made.next())?.length, 3);
  assert.deepEqual(parts(made.next())?.length, 2);
  assert.equal(made.next(), null);
});

test('a large file goes piece by piece, each after the one before is here', () => {
  const { load: made } = load(250);
  for (const [offset, size] of [
    [0, 100],
    [100, 100],
    [200, 50],
  ]) {
    // biome-ignore format: rows
    const cargo = made.next();
    assert.deepEqual(parts(cargo), [['f0', offset, size]]);
    assert.equal(made.next(), null);
    if (cargo) made.settle(cargo, whole(cargo));
  }
  assert.ok(made.isThrough);
  assert.deepEqual(made.counts(), { files: 1, here: 1, failed: 0, bytes: 250, sent: 250 });
});

test('what the server has is where it goes on, whatever this page thought', () => {
  const { load: made } = load(80);
  const cargo = made.next();
  assert.ok(cargo);
  made.settle(cargo, [{ number: 1, received: 30, code: 'wrong_offset', detail: '' }]);
  assert.deepEqual(parts(made.next()), [['f0', 30, 50]]);
});

test('what was announced before keeps its bytes; the same file twice is one', () => {
  const made = new Load(100, 3);
  made.add(item('whole', 10), 1, 10);
  made.add(item('half', 10), 2, 4);
  made.add(item('half again', 10), 2, 4);
  assert.deepEqual(made.counts(), { files: 2, here: 1, failed: 0, bytes: 20, sent: 14 });
  assert.deepEqual(parts(made.next()), [['half', 4, 6]]);
});

test('a request that failed is given back, but for files that could not be read', () => {
  const { load: made, items } = load(10, 10);
  const cargo = made.next();
  assert.ok(cargo && items[0]);
  made.fail(items[0], 'gone');
  made.giveBack(cargo);
  assert.deepEqual(parts(made.next()), [['f1', 0, 10]]);
  assert.equal(made.isThrough, false);
  const rest = { parts: [{ item: items[1] as Item, offset: 0, size: 10 }], size: 10 };
  made.settle(rest, whole(rest));
  assert.ok(made.isThrough);
});

test('an empty file needs no bytes', () => {
  const { load: made } = load(0);
  assert.equal(made.next(), null);
  assert.ok(made.isThrough);
});

test('two hundred thousand files are packed within seconds', () => {
  const made = new Load(8 * 1024 * 1024, 400);
  for (let number = 1; number <= 200_000; number += 1) made.add(item('x', 1000), number, 0);
  const began = performance.now();
  let requests = 0;
  for (let cargo = made.next(); cargo; cargo = made.next()) {
    made.settle(cargo, whole(cargo));
    requests += 1;
  }
  assert.equal(requests, 500);
  assert.ok(made.isThrough);
  assert.ok(performance.now() - began < 5000);
});

test('pace and words', () => {
  const pace = new Pace(8000);
  assert.equal(pace.rate(), 0);
  for (let second = 0; second <= 20; second += 1) pace.note(second * 1000, second * 5000);
  assert.equal(pace.rate(), 5000);
  assert.equal(timeLeft(5000 * 90, 5000), '2 min left');
  assert.equal(timeLeft(100, 5000), '1 s left');
  assert.equal(timeLeft(5000 * 7200, 5000), '2.0 h left');
  assert.equal(timeLeft(100, 0), '');
  assert.equal(inBytes(999), '999 B');
  assert.equal(inBytes(1536), '1.5 KB');
  assert.equal(inBytes(836_000_000), '797 MB');
});
