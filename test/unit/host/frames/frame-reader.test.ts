import { describe, expect, test } from "bun:test";
import { FRAME_BYTES_MAX, frameHead, frameText, textFrame } from "../../../../src/host/frames/frame.ts";
import { makeFrameReader } from "../../../../src/host/frames/frame-reader.ts";
import { seededRandom } from "../../../random.ts";

const ALL = 1_000_000;

function collect() {
  const frames: string[] = [];
  const reader = makeFrameReader((bytes) => void frames.push(Buffer.from(bytes).toString("latin1")));
  return { frames, reader };
}

describe("frames from a stream of bytes", () => {
  test("come out as they were sent, however the stream is cut", () => {
    const seed = Math.floor(Math.random() * 2 ** 31);
    const random = seededRandom(seed);
    for (let round = 0; round < 200; round++) {
      const sent = Array.from({ length: 1 + Math.floor(random() * 6) }, () =>
        "ab".repeat(Math.floor(random() ** 3 * 3000)),
      );
      const stream = Buffer.concat(sent.map(textFrame));
      const { frames, reader } = collect();
      for (let at = 0; at < stream.length;) {
        const length = 1 + Math.floor(random() ** 2 * 700);
        const piece = stream.subarray(at, at + length);
        let taken = 0;
        do taken += reader.read(piece.subarray(taken), 1 + Math.floor(random() * 2));
        while (taken < piece.length);
        at += piece.length;
      }
      expect({ seed, frames }).toEqual({ seed, frames: sent });
    }
  });

  test("a frame of no bytes is one, also when its head comes alone", () => {
    const { frames, reader } = collect();
    reader.read(frameHead(0), ALL);
    expect(frames).toEqual([""]);
    reader.read(Buffer.concat([frameHead(0), textFrame("x")]), ALL);
    expect(frames).toEqual(["", "", "x"]);
  });

  test("the largest frame passes, and one byte more ends the stream as soon as it is announced", () => {
    const { frames, reader } = collect();
    const largest = "x".repeat(FRAME_BYTES_MAX);
    reader.read(textFrame(largest), ALL);
    expect(frames[0]?.length).toBe(FRAME_BYTES_MAX);
    expect(reader.broken()).toBe(false);
    const head = new Uint8Array(4);
    new DataView(head.buffer).setUint32(0, FRAME_BYTES_MAX + 1, true);
    reader.read(head, ALL);
    expect(reader.broken()).toBe(true);
    reader.read(textFrame("more"), ALL);
    expect(frames).toHaveLength(1);
  });

  test("no more are given at a time than were asked for, and the rest is left", () => {
    const { frames, reader } = collect();
    const stream = Buffer.concat(["a", "b", "c"].map(textFrame));
    expect(reader.read(stream, 2)).toBe(10);
    expect(frames).toEqual(["a", "b"]);
    expect(reader.read(stream.subarray(10), 2)).toBe(5);
    expect(frames).toEqual(["a", "b", "c"]);
  });

  test("a frame in ten thousand pieces is put together without copying what is there again", () => {
    const { frames, reader } = collect();
    const stream = textFrame("x".repeat(FRAME_BYTES_MAX));
    const started = performance.now();
    for (let at = 0; at < stream.length; at += 800) reader.read(stream.subarray(at, at + 800), ALL);
    expect(frames).toHaveLength(1);
    // Ten thousand copies of four megabytes would take ten seconds.
    expect(performance.now() - started).toBeLessThan(2000);
  });
});

describe("one frame", () => {
  test("of text is its UTF-8, with its length before it", () => {
    expect([...textFrame("aü€😀")]).toEqual([10, 0, 0, 0, ...new TextEncoder().encode("aü€😀")]);
  });

  test("that is too long is not made", () => {
    expect(() => textFrame("ü".repeat(FRAME_BYTES_MAX / 2 + 1))).toThrow(RangeError);
    expect(() => frameHead(FRAME_BYTES_MAX + 1)).toThrow(RangeError);
  });

  test.each([
    [[0xff], undefined],
    [[0xe2, 0x82], undefined],
    [[0xed, 0xa0, 0x80], undefined],
    [[0xc0, 0x80], undefined],
    [[0xef, 0xbb, 0xbf, 0x61], "\uFEFFa"],
    [[], ""],
  ])("of the bytes %p is the text %p", (bytes, text) => {
    expect(frameText(new Uint8Array(bytes))).toBe(text);
  });
});
