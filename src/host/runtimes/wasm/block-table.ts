/**
 * Which blocks are held, by offset. An offset is a number of 53 bits: how often the slot was given, the slot, and the place in
 * the block; so one that was good once does not lead into what took the slot since. Called by extism-memory.ts.
 */
import { LIMITS } from "../../../base/limits.ts";
import type { Space } from "./arena.ts";

export interface Block extends Space {
  readonly length: number;
  /** Of its first byte. */
  readonly offset: number;
}

export interface BlockTable {
  /** Undefined where as many are held as may be. */
  add(space: Space, length: number): Block | undefined;
  isFull(): boolean;
  /** The block that the offset leads into, or would, if it were longer. */
  find(offset: number): Block | undefined;
  /** Whether a block may ever have begun there. */
  isOffset(offset: number): boolean;
  remove(block: Block): void;
  clear(): void;
}

export function makeBlockTable(): BlockTable {
  const blocks: (Block | undefined)[] = [];
  const turns = new Uint16Array(LIMITS.extismBlocks);
  const freeSlots: number[] = [];
  const isFull = (): boolean => freeSlots.length === 0 && blocks.length >= LIMITS.extismBlocks;

  return {
    add(space, length) {
      if (isFull()) return undefined;
      const slot = freeSlots.pop() ?? blocks.length;
      const turn = ((turns[slot] ?? 0) + 1) % TURNS || 1;
      turns[slot] = turn;
      const block = { ...space, length, offset: (turn * LIMITS.extismBlocks + slot) * SPAN };
      blocks[slot] = block;
      return block;
    },
    isFull,
    find(offset) {
      const handle = Math.floor(offset / SPAN);
      const block = blocks[handle % LIMITS.extismBlocks];
      return block !== undefined && block.offset === handle * SPAN ? block : undefined;
    },
    isOffset: (offset) => offset % SPAN === 0 && offset >= 0 && offset < END,
    remove(block) {
      const slot = (block.offset / SPAN) % LIMITS.extismBlocks;
      blocks[slot] = undefined;
      freeSlots.push(slot);
    },
    clear() {
      blocks.length = 0;
      freeSlots.length = 0;
    },
  };
}

// --- internal ---

/** From one block to the next: more than a block can have, so that a pointer that runs off its end finds nothing. */
const SPAN = 2 ** 27;
const TURNS = 1024;
const END = TURNS * LIMITS.extismBlocks * SPAN;
