import { expect, test } from "bun:test";
import { cutFrames, isLastFrame, joinParts, splitParts } from "../../../../src/host/bundle/parts.ts";

const bytes = (...list: number[]) => Uint8Array.from(list);

test("parts come back as they were", () => {
  const parts = [bytes(1, 2), bytes(), bytes(...Array.from({ length: 300 }, (_, i) => i & 255))];
  expect(splitParts(joinParts(parts), 3)).toEqual(parts);
  expect(splitParts(bytes(), 3)).toEqual([]);
});

test.each([[bytes(1)], [bytes(5, 0, 0, 0, 1)], [bytes(255, 255, 255, 255)], [bytes(0, 0, 0, 0, 9)]])(
  "%p is not whole",
  (cut) => {
    expect(splitParts(cut, 3)).toBeUndefined();
  },
);

test("more parts than wanted are none", () => {
  const message = joinParts(Array.from({ length: 4 }, () => bytes(1)));
  expect(splitParts(message, 4)).toHaveLength(4);
  expect(splitParts(message, 3)).toBeUndefined();
});

const MIB = 1024 * 1024;

test.each([[0], [1], [MIB - 1], [MIB], [MIB + 1], [3 * MIB]])(
  "the end of a message of %d bytes is seen in its last frame alone",
  (length) => {
    const message = new Uint8Array(length).fill(7);
    const frames = cutFrames(message);
    expect(frames.map(isLastFrame)).toEqual(frames.map((_, index) => index === frames.length - 1));
    expect(Buffer.concat(frames).equals(message)).toBe(true);
  },
);
