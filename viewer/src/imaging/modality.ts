/** Pure: stored samples as modality values, in the smallest array that holds them exactly. */
import type { DicomJson } from '../wire.ts';
import type { Pixels } from './reformat.ts';

/** How a frame is to be read, from its header. */
export interface Form {
  readonly columns: number;
  readonly rows: number;
  readonly signed: boolean;
  readonly slope: number;
  readonly intercept: number;
}

export interface Coded {
  readonly job: number;
  readonly bytes: ArrayBuffer;
  readonly form: Form;
}

export interface Values {
  readonly values: Pixels;
  readonly least: number;
  readonly most: number;
}

export function formOf(json: DicomJson): Form {
  const value = (tag: string, otherwise: number) => {
    const given = Number(json[tag]?.Value?.[0] ?? otherwise);
    return Number.isFinite(given) ? given : otherwise;
  };
  return {
    columns: value('00280011', 0),
    rows: value('00280010', 0),
    signed: value('00280103', 0) === 1,
    slope: value('00281053', 1) || 1,
    intercept: value('00281052', 0),
  };
}

/** The samples a decoder gave as bytes. */
export function modality(
  bytes: Uint8Array<ArrayBuffer>,
  bits: number,
  { signed, slope, intercept }: Form,
): Values {
  const stored = samples(bytes, bits, signed);
  let [least, most] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (let i = 0; i < stored.length; i += 1) {
    const value = stored[i] as number;
    if (value < least) least = value;
    if (value > most) most = value;
  }
  if (slope === 1 && intercept === 0) return { values: stored, least, most };
  const ends = [least * slope + intercept, most * slope + intercept];
  [least, most] = [Math.min(...ends), Math.max(...ends)];
  const whole = Number.isInteger(slope) && Number.isInteger(intercept) && least >= -32768 && most <= 32767;
  const values = whole ? new Int16Array(stored.length) : new Float32Array(stored.length);
  for (let i = 0; i < stored.length; i += 1) values[i] = (stored[i] as number) * slope + intercept;
  return { values, least, most };
}

function samples(bytes: Uint8Array<ArrayBuffer>, bits: number, signed: boolean): Pixels {
  const { buffer, byteOffset, byteLength } = bytes;
  if (bits <= 8) return new (signed ? Int8Array : Uint8Array)(buffer, byteOffset, byteLength);
  return new (signed ? Int16Array : Uint16Array)(buffer, byteOffset, byteLength / 2);
}
