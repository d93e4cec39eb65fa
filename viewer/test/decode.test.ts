import assert from 'node:assert/strict';
import { register } from 'node:module';
import { test } from 'node:test';
import type { Coded, Form, Values } from '../src/imaging/modality.ts';

// Node's answer to the bundler's `?url`: the address of the file itself.
const hooks = `
  export async function resolve(name, context, next) {
    if (!name.endsWith('?url')) return next(name, context);
    const { url } = await next(name.slice(0, -4), context);
    const text = 'export default ' + JSON.stringify(decodeURIComponent(new URL(url).pathname));
    return { url: 'data:text/javascript,' + encodeURIComponent(text), shortCircuit: true };
  }`;
register(`data:text/javascript,${encodeURIComponent(hooks)}`);

type Answer = { job: number; failed?: boolean; broken?: boolean } & Partial<Values>;
const answers: { answer: Answer; transfer: readonly unknown[] | undefined }[] = [];
const page = Object.assign(new EventTarget(), {
  postMessage: (answer: Answer, more?: { transfer: readonly unknown[] }) => {
    answers.push({ answer, transfer: more?.transfer });
  },
});
Object.assign(globalThis, { self: page });
await import('../src/imaging/decode.worker.ts');

/** 3 x 5 samples of 16 bits without sign, and 2 x 3 with; coded by `imagecodecs.jpegls_encode`. */
const PLAIN =
  '/9j/6AAgU1BJRkYAAgAAAQAAAAMAAAAFChAGAQAAASwAAAEs/+gACAAAAAH/2P/3AAsQAAMABQEBEQD/+AANAf//ABIAQwEUAED/2gAIAQEAAAAAoAwBgDAMyBtgIvD92EctRtcIvQAAAAAAAAB6nED/2Q==';
const SIGNED =
  '/9j/6AAgU1BJRkYAAgAAAQAAAAIAAAADChAGAQAAASwAAAEs/+gACAAAAAH/2P/3AAsQAAIAAwEBEQD/+AANAf//ABIAQwEUAED/2gAIAQEAAAAAP/P+wBIBPYA/6P/Z';
const FORM: Form = { columns: 5, rows: 3, signed: false, slope: 1, intercept: 0 };

const bytesOf = (text: string): ArrayBuffer => Uint8Array.from(Buffer.from(text, 'base64')).buffer;
let job = 0;
async function asked(bytes: ArrayBuffer, form: Form = FORM) {
  job += 1;
  page.dispatchEvent(new MessageEvent('message', { data: { job, bytes, form } satisfies Coded }));
  while (answers.at(-1)?.answer.job !== job) await new Promise((done) => setTimeout(done, 5));
  return answers.at(-1) as (typeof answers)[number];
}

test('a frame is decoded to its values, which leave the worker without a copy', async () => {
  const { answer, transfer } = await asked(bytesOf(PLAIN));
  const values = [0, 1, 2, 3, 4, 100, 2000, 4095, 17, 65535, 9, 9, 9, 9, 30000];
  assert.deepEqual(answer, { job, values: Uint16Array.from(values), least: 0, most: 65535 });
  assert.deepEqual(transfer, [answer.values?.buffer]);
  const form = { columns: 3, rows: 2, signed: true, slope: 2, intercept: -10 };
  const signed = await asked(bytesOf(SIGNED), form);
  assert.deepEqual([...(signed.answer.values ?? [])], [-2058, -12, -10, -8, 70, 6132]);
  assert.equal(answers.length, 2, 'one answer a frame');
  assert.deepEqual([...(answer.values ?? [])], values, 'the next frame is decoded beside the last one');
});

test('what is no whole frame is answered as failed, and the next one is decoded', async () => {
  const whole = bytesOf(PLAIN);
  const noise = Uint8Array.from({ length: 64 }, (_, at) => (at * 37) % 256).buffer;
  for (const bytes of [whole.slice(0, 40), noise, new ArrayBuffer(0)]) {
    const { answer } = await asked(bytes);
    assert.deepEqual(answer, { job, failed: true, broken: false });
  }
  const other = await asked(whole, { ...FORM, columns: 3, rows: 5 });
  assert.deepEqual(other.answer, { job, failed: true, broken: false }, 'its size is not the header’s');
  assert.equal((await asked(whole)).answer.most, 65535);
});
