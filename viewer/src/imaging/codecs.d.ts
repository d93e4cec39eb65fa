/** The decoder's own package tells no types; this is the part of it that is used. */
declare module '@cornerstonejs/codec-charls/decodewasmjs' {
  export interface Decoder {
    getEncodedBuffer(bytes: number): Uint8Array;
    decode(): void;
    getDecodedBuffer(): Uint8Array;
    getFrameInfo(): {
      readonly width: number;
      readonly height: number;
      readonly bitsPerSample: number;
      readonly componentCount: number;
    };
  }
  export default function charls(options: {
    locateFile(name: string): string;
  }): Promise<{ readonly JpegLSDecoder: new () => Decoder }>;
}

declare module '@cornerstonejs/codec-charls/decodewasm?url' {
  const address: string;
  export default address;
}
