/**
 * Space for blocks, in a few buffers that are given back to the system when they are done with and not left to the collector,
 * which is in no hurry. Within a buffer space is given out one behind the other, and what comes back is given again to the next
 * of its size. Called by extism-memory.ts.
 */
export interface Arena {
  /** Space with whatever was there before in it; undefined where none is left. */
  take(length: number): Space | undefined;
  give(space: Space): void;
  /** Takes everything back: no space and no view of one may be used any more. */
  clear(): void;
}

export interface Space {
  readonly bytes: Uint8Array;
  readonly words: DataView;
  /** Where it begins in them, and how much it has from there: what was asked for, or more. */
  readonly start: number;
  readonly size: number;
}

export function makeArena(cap: number): Arena {
  const first = makeBuffer(FIRST_BYTES);
  let buffers = [first];
  /** Of all buffers. */
  let held = FIRST_BYTES;
  /** How much of the newest buffer was given out; what an older one has left is not used any more. */
  let top = 0;
  /** By size. */
  const returned = new Map<number, Space[]>();

  function larger(wanted: number): Space | undefined {
    const sizes = [...returned.keys()].filter((each) => each > wanted && returned.get(each)?.length !== 0);
    return sizes.length === 0 ? undefined : returned.get(Math.min(...sizes))?.pop();
  }

  /** Lets go of what came back and was a buffer of its own. Not emptied: a view of it may still be wanted. */
  function release(): void {
    const newest = buffers.at(-1);
    for (const [size, spaces] of returned) {
      if (size < BUFFER_BYTES) continue;
      const gone = new Set(spaces.filter(({ bytes }) => bytes.length === size).map(({ bytes }) => bytes));
      returned.set(
        size,
        spaces.filter(({ bytes }) => !gone.has(bytes)),
      );
      buffers = buffers.filter(({ bytes }) => !gone.has(bytes));
      held -= gone.size * size;
    }
    const newestNow = buffers.at(-1) ?? first;
    if (newestNow !== newest) top = newestNow.bytes.length;
  }

  /** A buffer with room for so much: the newest, or another one. */
  function bufferFor(length: number): Buffer | undefined {
    const newest = buffers.at(-1);
    if (newest !== undefined && length <= newest.bytes.length - top) return newest;
    if (length > cap - held) release();
    const wanted = Math.min(Math.max(length, BUFFER_BYTES), cap - held);
    if (wanted < length) return undefined;
    const made = makeBuffer(wanted);
    buffers.push(made);
    held += wanted;
    top = 0;
    return made;
  }

  return {
    take(length) {
      const size = sizeFor(length);
      const again = returned.get(size)?.pop();
      if (again !== undefined) return again;
      const buffer = bufferFor(size);
      if (buffer === undefined) return larger(size);
      top += size;
      return { ...buffer, start: top - size, size };
    },
    give(space) {
      const spaces = returned.get(space.size);
      if (spaces === undefined) returned.set(space.size, [space]);
      else spaces.push(space);
    },
    clear() {
      for (const { bytes } of buffers.slice(1)) bytes.buffer.transfer(0);
      buffers = [first];
      held = FIRST_BYTES;
      top = 0;
      returned.clear();
    },
  };
}

// --- internal ---

interface Buffer {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly words: DataView<ArrayBuffer>;
}

/** Kept from call to call: enough for most. */
const FIRST_BYTES = 256 * 1024;
const BUFFER_BYTES = 1024 * 1024;
const SMALLEST = 16;
const LARGEST_STEP = 65_536;

function makeBuffer(length: number): Buffer {
  const bytes = new Uint8Array(length);
  return { bytes, words: new DataView(bytes.buffer) };
}

/** Rounded up, by a quarter at most, so that what comes back fits the next that is about as large. */
function sizeFor(length: number): number {
  if (length <= SMALLEST) return SMALLEST;
  const step = Math.min(LARGEST_STEP, 2 ** (29 - Math.clz32(length)));
  return Math.ceil(length / step) * step;
}
