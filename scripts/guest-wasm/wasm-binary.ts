/**
 * Reading and writing the bytes of a WebAssembly module: a cursor over the input and a list of output parts.
 * Knows numbers and lengths, nothing of sections or instructions. Used at build time only.
 */

/** A cursor over a module's bytes. Everything that would run past the end throws. */
export interface WasmReader {
  readonly bytes: Uint8Array;
  position: number;
  byte(): number;
  /** An unsigned LEB128 number of at most 32 bits. */
  unsigned(): number;
  /** Passes over a LEB128 number, signed or not, of at most `bytesMax` bytes. */
  skipNumber(bytesMax: number): void;
  skip(length: number): void;
  /** Passes over a value type, one byte or a typed reference. */
  skipType(): void;
  /** Passes over the limits of a memory or a table. */
  skipLimits(): void;
}

export function makeWasmReader(bytes: Uint8Array): WasmReader {
  const reader: WasmReader = {
    bytes,
    position: 0,
    byte() {
      const value = bytes[reader.position++];
      if (value === undefined) throw wasmError("unexpected end of the module");
      return value;
    },
    unsigned() {
      let result = 0;
      for (let shift = 0; shift <= 28; shift += 7) {
        const byte = reader.byte();
        result += (byte & 0x7f) * 2 ** shift;
        if (byte < 0x80) return result;
      }
      throw wasmError("a number is longer than 32 bits");
    },
    skipNumber(bytesMax) {
      for (let i = 0; i < bytesMax; i++) if (reader.byte() < 0x80) return;
      throw wasmError("a number is too long");
    },
    skip(length) {
      reader.position += length;
      if (reader.position > bytes.length) throw wasmError("unexpected end of the module");
    },
    skipType() {
      const type = reader.byte();
      if (type === 0x63 || type === 0x64) reader.skipNumber(5);
    },
    skipLimits() {
      const flags = reader.byte();
      if ((flags & ~3) !== 0) throw wasmError("64-bit memories are not supported");
      reader.skipNumber(5);
      if ((flags & 1) !== 0) reader.skipNumber(5);
    },
  };
  return reader;
}

/** Output: slices of the input and new bytes, joined once at the end. */
export interface WasmWriter {
  readonly parts: readonly Uint8Array[];
  readonly length: number;
  add(bytes: Uint8Array | readonly number[]): WasmWriter;
  addUnsigned(value: number): WasmWriter;
  addAll(other: WasmWriter): WasmWriter;
  join(): Uint8Array<ArrayBuffer>;
}

export function makeWasmWriter(): WasmWriter {
  const parts: Uint8Array[] = [];
  let length = 0;
  const writer: WasmWriter = {
    parts,
    get length() {
      return length;
    },
    add(bytes) {
      const part = bytes instanceof Uint8Array ? bytes : Uint8Array.from(bytes);
      parts.push(part);
      length += part.length;
      return writer;
    },
    addUnsigned: (value) => writer.add(unsignedBytes(value)),
    addAll(other) {
      for (const part of other.parts) writer.add(part);
      return writer;
    },
    join() {
      const all = new Uint8Array(length);
      let position = 0;
      for (const part of parts) {
        all.set(part, position);
        position += part.length;
      }
      return all;
    },
  };
  return writer;
}

/** LEB128 of a number that is not negative. */
export function unsignedBytes(value: number): number[] {
  const bytes: number[] = [];
  let rest = value;
  do {
    const low = rest % 128;
    rest = Math.floor(rest / 128);
    bytes.push(rest > 0 ? low | 0x80 : low);
  } while (rest > 0);
  return bytes;
}

/** Signed LEB128 of a 32-bit number. */
export function signedBytes(value: number): number[] {
  const bytes: number[] = [];
  let rest = value;
  for (;;) {
    const low = rest & 0x7f;
    rest >>= 7;
    const signBit = (low & 0x40) !== 0;
    if ((rest === 0 && !signBit) || (rest === -1 && signBit)) return [...bytes, low];
    bytes.push(low | 0x80);
  }
}

/** A name as the format has it: its length, then UTF-8. */
export function nameBytes(name: string): number[] {
  const utf8 = new TextEncoder().encode(name);
  return [...unsignedBytes(utf8.length), ...utf8];
}

export function wasmError(reason: string): Error {
  return new Error(`the wasm module can't be instrumented: ${reason}`);
}
