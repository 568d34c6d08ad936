import { expect, test } from "bun:test";
import { joinFrames, splitFrames } from "../../../../src/host/bundle/frames.ts";

const bytes = (...list: number[]) => Uint8Array.from(list);

test("frames come back as they were", () => {
  const frames = [bytes(1, 2), bytes(), bytes(...Array.from({ length: 300 }, (_, i) => i & 255))];
  expect(splitFrames(joinFrames(frames))).toEqual(frames);
  expect(splitFrames(bytes())).toEqual([]);
});

test.each([[bytes(1)], [bytes(5, 0, 0, 0, 1)], [bytes(255, 255, 255, 255)], [bytes(0, 0, 0, 0, 9)]])(
  "%p is not whole",
  (cut) => {
    expect(splitFrames(cut)).toBeUndefined();
  },
);
