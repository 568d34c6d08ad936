import { expect, test } from "bun:test";
import { LIMITS } from "../../../../../src/base/limits.ts";
import { makeFrameReader } from "../../../../../src/engine/providers/docker/frames.ts";
import { makeLogReader } from "../../../../../src/engine/providers/docker/log-reader.ts";
import type { LogPart } from "../../../../../src/engine/providers/provider.ts";
import { linesOfParts } from "../../../../fixtures/log-lines.ts";

const AT = "2026-01-31T08:00:00.123456789Z";

function frame(stream: 1 | 2, text: string): Buffer {
  const body = Buffer.from(text);
  const header = Buffer.alloc(8);
  header[0] = stream;
  header.writeUInt32BE(body.length, 4);
  return Buffer.concat([header, body]);
}

function readInChunks(bytes: Buffer, size: number): string[] {
  const frames: string[] = [];
  const read = makeFrameReader((stream, body) => frames.push(`${stream}:${body.toString()}`));
  for (let at = 0; at < bytes.length; at += size) read(bytes.subarray(at, at + size));
  return frames;
}

function lines(...frames: readonly Buffer[]): LogPart[] {
  const reader = makeLogReader(undefined);
  reader.add(Buffer.concat(frames));
  return linesOfParts(reader.finish()?.parts ?? []);
}

test("frames are the same however the bytes were cut", () => {
  const bytes = Buffer.concat([
    frame(1, "one\n"),
    frame(2, ""),
    frame(2, "zwei ☃\n"),
    frame(1, "x".repeat(300)),
  ]);
  const whole = readInChunks(bytes, bytes.length);
  expect(whole).toEqual(["stdout:one\n", "stderr:", "stderr:zwei ☃\n", `stdout:${"x".repeat(300)}`]);
  for (const size of [1, 2, 3, 7, 8, 9, 64]) expect(readInChunks(bytes, size)).toEqual(whole);
});

test("bytes that are no frame are refused", () => {
  expect(() => readInChunks(Buffer.from("plain text"), 4)).toThrow(
    expect.objectContaining({ code: "provider.failed" }),
  );
});

test("a line has its stream, its stamp and its text", () => {
  expect(lines(frame(1, `${AT} hello world\n`), frame(2, `${AT} \n`), frame(2, `${AT} dos\r\n`))).toEqual([
    { stream: "stdout", atMs: Date.parse(AT), text: "hello world" },
    { stream: "stderr", atMs: Date.parse(AT), text: "" },
    { stream: "stderr", atMs: Date.parse(AT), text: "dos" },
  ]);
});

test("pieces of one line are joined without the stamps between them, each stream for itself", () => {
  expect(lines(frame(1, `${AT} long `), frame(2, `${AT} other\n`), frame(1, `${AT} line\n`))).toEqual([
    { stream: "stderr", atMs: Date.parse(AT), text: "other" },
    { stream: "stdout", atMs: Date.parse(AT), text: "long line" },
  ]);
});

test("a letter cut in two by a frame is whole again", () => {
  const snow = Buffer.from("☃\n");
  const cut = (part: Buffer) => {
    const body = Buffer.concat([Buffer.from(`${AT} `), part]);
    const header = Buffer.alloc(8);
    header[0] = 1;
    header.writeUInt32BE(body.length, 4);
    return Buffer.concat([header, body]);
  };
  expect(lines(cut(snow.subarray(0, 1)), cut(snow.subarray(1))).map((line) => line.text)).toEqual(["☃"]);
});

test("an unfinished last line is shown, and an endless one in pieces", () => {
  expect(lines(frame(1, `${AT} no end`))).toEqual([
    { stream: "stdout", atMs: Date.parse(AT), text: "no end" },
  ]);
  const piece = frame(1, `${AT} ${"x".repeat(16 * 1024)}`);
  const found = lines(...Array.from({ length: LIMITS.logLineBytes / (16 * 1024) + 1 }, () => piece));
  expect(found.map((line) => line.text.length)).toEqual([LIMITS.logLineBytes, 16 * 1024]);
});
