/** Decodes stored frames beside the page. Every frame is JPEG-LS without loss, one grey sample a pixel. */

import wasm from '@cornerstonejs/codec-charls/decodewasm?url';
import charls from '@cornerstonejs/codec-charls/decodewasmjs';
import { type Coded, modality } from './modality.ts';

const decoder = charls({ locateFile: () => wasm }).then((codec) => new codec.JpegLSDecoder());

/** Without its codec, or after that ran into the ground, a worker decodes nothing any more: the page takes another. */
let started = false;
const broken = (fault: unknown) => !started || fault instanceof WebAssembly.RuntimeError;

async function decode({ job, bytes, form }: Coded) {
  const one = await decoder;
  started = true;
  one.getEncodedBuffer(bytes.byteLength).set(new Uint8Array(bytes));
  one.decode();
  const { width, height, bitsPerSample, componentCount } = one.getFrameInfo();
  if (width !== form.columns || height !== form.rows || componentCount !== 1) {
    throw new Error('The frame has another size than its header says.');
  }
  // The decoder's memory is its own and used again: what leaves is a copy.
  return { job, ...modality(one.getDecodedBuffer().slice(), bitsPerSample, form) };
}

self.addEventListener('message', ({ data }: MessageEvent<Coded>) => {
  decode(data).then(
    (made) => self.postMessage(made, { transfer: [made.values.buffer as ArrayBuffer] }),
    (fault) => self.postMessage({ job: data.job, failed: true, broken: broken(fault) }),
  );
});
