import assert from 'node:assert/strict';
import { beforeEach, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { frameBytes } from '../src/api.ts';
import { Decoder } from '../src/imaging/decoder.ts';
import { Loader } from '../src/imaging/loader.ts';
import type { Form } from '../src/imaging/modality.ts';
import type { Stack } from '../src/wire.ts';

/** A worker that answers as it is told. */
class Worker extends EventTarget {
  static all: Worker[] = [];
  static answer: (job: number) => object = (job) => ({ job, ...GREY });
  ended = false;
  constructor() {
    super();
    Worker.all.push(this);
  }
  postMessage({ job }: { job: number }): void {
    if (this.ended) return;
    queueMicrotask(() => this.dispatchEvent(new MessageEvent('message', { data: Worker.answer(job) })));
  }
  terminate(): void {
    this.ended = true;
  }
}
const GREY = { values: Int16Array.of(1), least: 1, most: 1 };
Object.assign(globalThis, { window: globalThis, Worker });
if (!('navigator' in globalThis)) Object.assign(globalThis, { navigator: { hardwareConcurrency: 4 } });

const METADATA = { '00280010': { vr: 'US', Value: [1] }, '00280011': { vr: 'US', Value: [1] } };
const stack = {
  id: 'k1',
  frames: ['a', 'b'].map((image) => ({ image, uid: image, metadata: METADATA })),
} as unknown as Stack;

beforeEach(() => {
  Worker.all = [];
  Worker.answer = (job) => ({ job, ...GREY });
});

test('a frame that comes at a later try is told, and counts as failed until then', async () => {
  const status = [500, 200];
  globalThis.fetch = async (url) =>
    new Response(new ArrayBuffer(1), { status: url === 'a' ? (status.shift() ?? 200) : 200 });
  const came: string[] = [];
  const failed: number[] = [];
  const loader = new Loader({
    progress: (_loaded, _of, failures) => failed.push(failures.length),
    complete() {},
    came: (id) => came.push(id),
  });
  loader.open([stack], ['a', 'b']);
  await pause(100);
  assert.deepEqual([came, failed.at(-1)], [['b'], 1]);
  await pause(700);
  assert.deepEqual([came, failed.at(-1)], [['b', 'a'], 0]);
});

test('a frame request that hangs ends by itself', async (t) => {
  t.mock.method(AbortSignal, 'timeout', () => AbortSignal.abort());
  globalThis.fetch = (_url, init) =>
    new Promise((_done, refuse) => {
      if (init?.signal?.aborted) refuse(init.signal.reason);
    });
  assert.equal(await Promise.race([frameBytes('a', true), pause(50, 'hangs')]), 0);
});

test('a worker without its codec is replaced at the next frame', async () => {
  const decoder = new Decoder();
  const first = [...Worker.all];
  Worker.answer = (job) => ({ job, failed: true, broken: true });
  await assert.rejects(decoder.decode(new ArrayBuffer(1), {} as Form));
  assert.ok(first.every(({ ended }) => ended));
  Worker.answer = (job) => ({ job, failed: true });
  await assert.rejects(decoder.decode(new ArrayBuffer(1), {} as Form));
  Worker.answer = (job) => ({ job, ...GREY });
  assert.equal((await decoder.decode(new ArrayBuffer(1), {} as Form)).most, 1);
  // A frame that cannot be decoded is no broken worker; what an ended one still says is not heard.
  const second = Worker.all.slice(first.length);
  first[0]?.dispatchEvent(new MessageEvent('message', { data: { job: 99, failed: true, broken: true } }));
  assert.ok(second.length > 0 && second.every(({ ended }) => !ended));
});
