/** Blocks of Extism's memory: each is reachable through its own offsets, as long as it is held, and there is a cap on all. */
import { describe, expect, test } from "bun:test";
import { LIMITS } from "../../../../../src/base/limits.ts";
import { makeExtismMemory } from "../../../../../src/host/runtimes/wasm/extism-memory.ts";
import { HostFault } from "../../../../../src/host/runtimes/wasm/guest-errors.ts";
import { seededRandom } from "../../../../random.ts";

const MIB = 1024n * 1024n;
const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);

function fault(work: () => unknown): string {
  try {
    work();
  } catch (error) {
    expect(error).toBeInstanceOf(HostFault);
    return (error as Error).message;
  }
  throw new Error("nothing was thrown");
}

describe("a block", () => {
  test("is made of zeros, and keeps what is stored", () => {
    const memory = makeExtismMemory();
    const at = memory.alloc(20n);
    expect(memory.length(at)).toBe(20n);
    expect(memory.bytes("test", at)).toEqual(new Uint8Array(20));
    memory.storeWord(at + 3n, 0x8877_6655_4433_2211n);
    memory.storeByte(at + 19n, 0x1ff);
    expect(memory.loadByte(at + 4n)).toBe(0x22);
    expect(memory.loadWord(at + 3n)).toBe(0x8877_6655_4433_2211n);
    expect(memory.loadByte(at + 19n)).toBe(0xff);
  });

  test("is made of zeros even where another one was before", () => {
    const memory = makeExtismMemory();
    const first = memory.put(new Uint8Array(100).fill(7));
    memory.free(first);
    expect(memory.bytes("test", memory.alloc(100n))).toEqual(new Uint8Array(100));
    memory.clear();
    expect(memory.bytes("test", memory.alloc(100n))).toEqual(new Uint8Array(100));
  });

  test("may be empty, and is no null then", () => {
    const memory = makeExtismMemory();
    const at = memory.alloc(0n);
    expect(at).not.toBe(0n);
    expect(memory.length(at)).toBe(0n);
    expect(memory.bytes("test", at)).toHaveLength(0);
    expect(fault(() => memory.loadByte(at))).toContain("byte 0 of a block of 0");
  });

  test("holds a copy of bytes and texts, not more of their buffer", () => {
    const memory = makeExtismMemory();
    const bytes = new TextEncoder().encode("SECRET hi SECRET").subarray(7, 9);
    const at = memory.put(bytes);
    bytes.fill(0);
    expect(text(memory.bytes("test", at))).toBe("hi");
    expect(text(memory.bytes("test", memory.putText("Grüße 🚀\ud800")))).toBe("Grüße 🚀\ufffd");
  });

  test("gives a part of itself", () => {
    const memory = makeExtismMemory();
    const at = memory.putText("hello world");
    expect(text(memory.bytes("test", at + 6n))).toBe("world");
    expect(text(memory.bytes("test", at, 5n))).toBe("hello");
    expect(memory.bytes("test", at + 11n)).toHaveLength(0);
    expect(memory.length(at + 1n)).toBe(0n);
  });
});

describe("a wild offset", () => {
  const memory = makeExtismMemory();
  const at = memory.put(Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8));
  const neighbour = memory.put(Uint8Array.of(9, 9, 9, 9, 9, 9, 9, 9));
  const gone = memory.alloc(8n);
  memory.free(gone);

  for (const [what, offset] of [
    ["null", 0n],
    ["small", 77n],
    ["negative", -1n],
    ["before the block", at - 1n],
    ["behind the block", at + 8n],
    ["between two blocks", neighbour - 64n],
    ["of a freed block", gone],
    ["the largest", 2n ** 63n - 1n],
    ["the smallest", -(2n ** 63n)],
    ["beyond a double", 2n ** 53n + 1n],
    ["of a block that was never given", at + 2n ** 40n],
  ] as const)
    test(`${what} reads and writes nothing`, () => {
      for (const use of [
        () => memory.loadByte(offset),
        () => memory.loadWord(offset),
        () => memory.storeByte(offset, 0),
        () => memory.storeWord(offset, 0n),
        () => memory.bytes("output_set", offset, 1n),
      ])
        expect(fault(use)).toMatch(/^\w+: (the offset|\d bytes)/);
      expect(memory.length(offset)).toBe(0n);
      expect(memory.loadWord(at)).toBe(0x0807_0605_0403_0201n);
      expect(memory.loadWord(neighbour)).toBe(0x0909_0909_0909_0909n);
    });

  test("a word that begins in a block and ends behind it is wild", () => {
    expect(fault(() => memory.loadWord(at + 1n))).toBe(
      `load_u64: 8 bytes at the offset 0x${(at + 1n).toString(16)}: that is byte 1 of a block of 8`,
    );
    expect(fault(() => memory.storeWord(at + 7n, 0n))).toContain("that is byte 7 of a block of 8");
  });

  test("so is a length that is too long or negative", () => {
    expect(fault(() => memory.bytes("output_set", at, 9n))).toContain("9 bytes");
    expect(fault(() => memory.bytes("output_set", at, 1_000_000_000n))).toContain("1000000000 bytes");
    expect(fault(() => memory.bytes("output_set", at, -1n))).toBe("output_set: a length of -1");
    expect(fault(() => memory.bytes("output_set", at, 2n ** 63n - 1n))).toContain("output_set");
  });
});

describe("freeing", () => {
  test("lets null and what is free already pass, and nothing else", () => {
    const memory = makeExtismMemory();
    const at = memory.alloc(8n);
    memory.free(0n);
    memory.free(at);
    memory.free(at);
    expect(fault(() => memory.free(12_345n))).toContain("free: the offset 0x3039");
    expect(fault(() => memory.free(memory.alloc(8n) + 1n))).toContain("is in no block");
    expect(fault(() => memory.free(-1n))).toContain("free: the offset 0xffffffffffffffff");
  });

  test("an old offset does not lead into the block that takes the place", () => {
    const memory = makeExtismMemory();
    const old = memory.alloc(8n);
    memory.free(old);
    const next = memory.alloc(8n);
    expect(next).not.toBe(old);
    memory.storeByte(next, 5);
    expect(fault(() => memory.loadByte(old))).toContain("in no block");
    memory.free(old);
    expect(memory.loadByte(next)).toBe(5);
  });

  test("clearing frees all, and old offsets stay wild in the next call", () => {
    const memory = makeExtismMemory();
    const old = [memory.alloc(8n), memory.alloc(2n * MIB), memory.alloc(1n)];
    memory.clear();
    const next = [memory.alloc(8n), memory.alloc(2n * MIB), memory.alloc(1n)];
    for (const offset of old) expect(fault(() => memory.loadByte(offset))).toContain("in no block");
    for (const offset of next) expect(memory.loadByte(offset)).toBe(0);
  });

  test("a million blocks come and go in one call", () => {
    const memory = makeExtismMemory();
    for (let i = 0; i < 1_000_000; i++) memory.free(memory.alloc(BigInt(i % 2000)));
    expect(memory.length(memory.alloc(60n * MIB))).toBe(60n * MIB);
  });
});

describe("the caps", () => {
  test("on bytes: what is wanted beyond them is a fault, and what is held stays", () => {
    const memory = makeExtismMemory();
    const held = memory.putText("held");
    for (const length of [
      BigInt(LIMITS.extismBytes),
      BigInt(LIMITS.extismBytes) + 1n,
      2n ** 40n,
      -1n,
      2n ** 63n - 1n,
    ])
      expect(fault(() => memory.alloc(length))).toMatch(
        /^the module wanted a block of .* has 64 MiB for all/,
      );
    expect(text(memory.bytes("test", held))).toBe("held");
    expect(memory.length(memory.alloc(32n * MIB))).toBe(32n * MIB);
  });

  test("on bytes: sixty blocks of a MiB fit, and freed ones make room", () => {
    const memory = makeExtismMemory();
    for (let round = 0; round < 3; round++) {
      const blocks = Array.from({ length: 60 }, () => memory.alloc(MIB));
      expect(fault(() => Array.from({ length: 10 }, () => memory.alloc(MIB)))).toContain("a block of 1 MiB");
      for (const block of blocks) memory.free(block);
      memory.clear();
    }
  });

  test("on bytes: a text that grows by a MiB at a time, each freed for the next", () => {
    const memory = makeExtismMemory();
    for (let size = 1n; size < 60n; size++) memory.free(memory.alloc(size * MIB));
    const kept = memory.putText("kept");
    const view = memory.bytes("test", memory.putText("x".repeat(2_000_000)));
    expect(fault(() => memory.alloc(64n * MIB))).toContain("64 MiB");
    expect(text(view)).toHaveLength(2_000_000);
    expect(text(memory.bytes("test", kept))).toBe("kept");
  });

  test("on bytes: a refusal leaves the blocks that are held apart from those that come after it", () => {
    const memory = makeExtismMemory();
    const held = memory.alloc(40n * MIB);
    memory.free(memory.alloc(2n * MIB));
    expect(fault(() => memory.alloc(30n * MIB))).toContain("a block of 30 MiB");
    const next = memory.alloc(MIB);
    memory.bytes("test", next).fill(7);
    expect(memory.bytes("test", held).indexOf(7)).toBe(-1);
  });

  test("on bytes: what smaller blocks had for a while is whole again for larger ones", () => {
    const memory = makeExtismMemory();
    const fill = () => {
      const blocks: bigint[] = [];
      expect(
        fault(() => {
          for (;;) blocks.push(memory.alloc(MIB / 2n));
        }),
      ).toContain("512 KiB");
      return blocks;
    };
    const first = fill();
    for (const block of first) memory.free(block);
    for (let size = 16n; size < MIB / 2n; size += size / 4n) memory.free(memory.alloc(size));
    expect(fill()).toHaveLength(first.length);
  });

  test("on the count", () => {
    const memory = makeExtismMemory();
    const first = memory.alloc(1n);
    for (let i = 1; i < LIMITS.extismBlocks; i++) memory.alloc(1n);
    expect(fault(() => memory.alloc(1n))).toContain("holds 65536 blocks");
    memory.free(first);
    expect(memory.length(memory.alloc(1n))).toBe(1n);
  });

  test("a block that does not fit costs no slot", () => {
    const memory = makeExtismMemory();
    for (let i = 0; i < LIMITS.extismBlocks + 10; i++)
      expect(() => memory.alloc(2n ** 50n)).toThrow(HostFault);
    expect(memory.length(memory.alloc(8n))).toBe(8n);
  });
});

test("agrees with a simple model, whatever is done in whatever order", () => {
  const seed = 20_260_101;
  const random = seededRandom(seed);
  const below = (n: number): number => Math.floor(random() * n);
  const memory = makeExtismMemory();
  const model = new Map<bigint, Uint8Array>();
  const pick = (): [bigint, Uint8Array] | undefined => [...model][below(model.size)];
  for (let i = 0; i < 20_000; i++) {
    const action = below(20);
    const [offset, bytes] = pick() ?? [0n, new Uint8Array()];
    if (action < 5 && model.size < 200) {
      const length = below(8) === 0 ? below(300_000) : below(200);
      model.set(memory.alloc(BigInt(length)), new Uint8Array(length));
    } else if (action < 9) {
      memory.free(offset);
      model.delete(offset);
    } else if (action < 15 && bytes.length > 0) {
      const [at, value] = [below(bytes.length), below(256)];
      memory.storeByte(offset + BigInt(at), value);
      bytes[at] = value;
    } else if (action === 19 && below(50) === 0) {
      memory.clear();
      model.clear();
    } else if (model.size > 0 && !Buffer.from(memory.bytes("test", offset)).equals(bytes))
      throw new Error(`seed ${seed}, step ${i}: the block at ${offset} differs`);
  }
  for (const [offset, bytes] of model) expect(memory.bytes("test", offset)).toEqual(bytes);
});
