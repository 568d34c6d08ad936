/**
 * Reads the binary format of WebAssembly: a cursor over some bytes that refuses to leave them. Whatever is not as the format
 * has it is a GuestRefusal that names the place. Called by the files that read sections.
 */
import { GuestRefusal } from "./guest-errors.ts";

export interface ModuleReader {
  /** Where it is in the module. */
  position(): number;
  atEnd(): boolean;
  byte(): number;
  u32(): number;
  /** Skips a signed number of any width. */
  skipSigned(): void;
  skip(bytes: number): void;
  name(): string;
  /** Count first, then so many of what `read` reads. */
  vector<T>(what: string, max: number, read: () => T): T[];
  /** The next `length` bytes as a reader of their own. */
  part(length: number): ModuleReader;
  malformed(problem: string): GuestRefusal;
}

export function makeModuleReader(bytes: Uint8Array, start = 0, end = bytes.length): ModuleReader {
  let at = start;

  function malformed(problem: string): GuestRefusal {
    return new GuestRefusal(`the module is damaged at byte ${at}: ${problem}`, "build it again");
  }

  function byte(): number {
    const value = at < end ? bytes[at] : undefined;
    if (value === undefined) throw malformed("it ends too early");
    at++;
    return value;
  }

  function u32(): number {
    let value = 0;
    for (let shift = 0; shift < 35; shift += 7) {
      const next = byte();
      if (shift === 28 && next > 0x0f) break;
      value += (next & 0x7f) * 2 ** shift;
      if (next < 0x80) return value;
    }
    throw malformed("a number has more than 32 bits");
  }

  function skip(count: number): void {
    if (count > end - at) throw malformed("it ends too early");
    at += count;
  }

  return {
    position: () => at,
    atEnd: () => at === end,
    byte,
    u32,
    skipSigned() {
      for (let i = 0; i < 10; i++) if (byte() < 0x80) return;
      throw malformed("a number has more than 64 bits");
    },
    skip,
    name() {
      const length = u32();
      const from = at;
      skip(length);
      return new TextDecoder().decode(bytes.subarray(from, at));
    },
    vector<T>(what: string, max: number, read: () => T) {
      const count = u32();
      if (count > max) throw new GuestRefusal(`the module has ${count} ${what}, at most ${max} are taken`);
      // One by one: a count that is a lie ends where the bytes end.
      const items: T[] = [];
      while (items.length < count) items.push(read());
      return items;
    },
    part(length) {
      const from = at;
      skip(length);
      return makeModuleReader(bytes, from, at);
    },
    malformed,
  };
}
