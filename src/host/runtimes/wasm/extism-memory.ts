/**
 * Extism's memory for one guest: blocks that the module and the host hand to each other by offset. Takes the place of the
 * SDK's own, which knows no bounds: here each block is reachable through its own offsets only, a wild one is a HostFault, and
 * there is a cap on the count and the size of what is held. Made by wasm-guest.ts, once: instances come and go.
 */
import { LIMITS } from "../../../base/limits.ts";
import { formatBytes } from "../../../base/text.ts";
import { makeArena } from "./arena.ts";
import { makeBlockTable, type Block } from "./block-table.ts";
import { HostFault } from "./guest-errors.ts";

export interface ExtismMemory {
  /** Offset of a new block of zeros. Throws at the caps. */
  alloc(length: bigint): bigint;
  /** Offset of a new block with a copy of these bytes. */
  put(bytes: Uint8Array): bigint;
  /** Offset of a new block with this text as UTF-8. */
  putText(text: string): bigint;
  /** Null, and a block that is free already, are let pass. */
  free(offset: bigint): void;
  /** Of the block that begins there; 0 for anything else. */
  length(offset: bigint): bigint;
  loadByte(offset: bigint): number;
  loadWord(offset: bigint): bigint;
  storeByte(offset: bigint, value: number): void;
  storeWord(offset: bigint, value: bigint): void;
  /** A view, good until `clear`: `length` bytes, or all to the block's end. `what` names it in an error. */
  bytes(what: string, offset: bigint, length?: bigint): Uint8Array;
  /** Frees everything. Old offsets lead nowhere, not into new blocks. */
  clear(): void;
}

export function makeExtismMemory(): ExtismMemory {
  const arena = makeArena(LIMITS.extismBytes);
  const blocks = makeBlockTable();
  /** Most of what is read and written is in the block that was used before. */
  let last: Block | undefined;

  function add(length: number): Block {
    // Asked first: what has no slot takes no space.
    const space = blocks.isFull() ? undefined : arena.take(length);
    const block = space === undefined ? undefined : blocks.add(space, length);
    if (block === undefined) throw blocks.isFull() ? tooMany() : tooLarge(BigInt(length));
    return block;
  }

  function find(offset: bigint, size: number, what: string): Block {
    // What is no whole number in a double is beyond every block.
    const place = Number(offset);
    if (last !== undefined && place >= last.offset && place - last.offset + size <= last.length) return last;
    last = blocks.find(place);
    if (last === undefined || place - last.offset + size > last.length) throw wild(offset, size, what, last);
    return last;
  }

  return {
    alloc(length) {
      if (length < 0n || length > BigInt(LIMITS.extismBytes)) throw tooLarge(length);
      const { bytes, start, offset } = add(Number(length));
      bytes.fill(0, start, start + Number(length));
      return BigInt(offset);
    },
    put(found) {
      const { bytes, start, offset } = add(found.length);
      bytes.set(found, start);
      return BigInt(offset);
    },
    putText(text) {
      const { bytes, start, offset, length } = add(Buffer.byteLength(text));
      encoder.encodeInto(text, bytes.subarray(start, start + length));
      return BigInt(offset);
    },
    free(offset) {
      const block = blocks.find(Number(offset));
      if (!blocks.isOffset(Number(offset))) throw wild(offset, 0, "free", undefined);
      if (block === undefined) return;
      last = undefined;
      arena.give(block);
      blocks.remove(block);
    },
    length(offset) {
      const block = blocks.find(Number(offset));
      return block !== undefined && block.offset === Number(offset) ? BigInt(block.length) : 0n;
    },
    loadByte(at) {
      const { words, start, offset } = find(at, 1, "load_u8");
      return words.getUint8(start + Number(at) - offset);
    },
    loadWord(at) {
      const { words, start, offset } = find(at, 8, "load_u64");
      return words.getBigUint64(start + Number(at) - offset, true);
    },
    storeByte(at, value) {
      const { words, start, offset } = find(at, 1, "store_u8");
      words.setUint8(start + Number(at) - offset, value);
    },
    storeWord(at, value) {
      const { words, start, offset } = find(at, 8, "store_u64");
      words.setBigUint64(start + Number(at) - offset, value, true);
    },
    bytes(what, at, length) {
      if (length !== undefined && length < 0n) throw new HostFault(`${what}: a length of ${length}`);
      const block = find(at, Number(length ?? 0n), what);
      const from = block.start + Number(at) - block.offset;
      return block.bytes.subarray(
        from,
        length === undefined ? block.start + block.length : from + Number(length),
      );
    },
    clear() {
      last = undefined;
      blocks.clear();
      arena.clear();
    },
  };
}

// --- internal ---

const encoder = new TextEncoder();
const ADVICE = "free blocks when they are done with";

function tooMany(): HostFault {
  return new HostFault(
    `the module holds ${LIMITS.extismBlocks} blocks of Extism's memory, and gets no more; ${ADVICE}`,
  );
}

function tooLarge(length: bigint): HostFault {
  const isNumber = length >= 0n && length <= BigInt(Number.MAX_SAFE_INTEGER);
  const size = isNumber ? formatBytes(Number(length)) : `${BigInt.asUintN(64, length)} B`;
  return new HostFault(
    `the module wanted a block of ${size} of Extism's memory, which has ${formatBytes(LIMITS.extismBytes)} for all of its blocks; ${ADVICE}`,
  );
}

function wild(offset: bigint, size: number, what: string, block: Block | undefined): HostFault {
  if (offset === 0n) return new HostFault(`${what}: the offset is null`);
  const pointer = `0x${BigInt.asUintN(64, offset).toString(16)}`;
  const index = Number(offset) - (block?.offset ?? 0);
  if (block === undefined || index > block.length)
    return new HostFault(`${what}: the offset ${pointer} is in no block that the module holds`);
  return new HostFault(
    `${what}: ${size} bytes at the offset ${pointer}: that is byte ${index} of a block of ${block.length}`,
  );
}
