import { expect, test } from "bun:test";
import { appendFileSync, mkdirSync, readdirSync, statSync, writeFileSync } from "node:fs";
import { LIMITS } from "../../../../../src/base/limits.ts";
import { makeLineSplitter } from "../../../../../src/engine/providers/process/line-splitter.ts";
import { makeLogFile } from "../../../../../src/engine/providers/process/log-file.ts";
import { makeLogMarks } from "../../../../../src/engine/providers/process/log-marks.ts";
import { makeLogStore, type LogStore } from "../../../../../src/engine/providers/process/log-store.ts";
import { readInstanceLogs } from "../../../../../src/engine/providers/process/read-logs.ts";
import type { LogLine, LogOptions } from "../../../../../src/engine/providers/provider.ts";
import { fakeClock, tempDir } from "../../../../harness.ts";

const never = new AbortController().signal;

async function read(
  store: LogStore,
  changes: Partial<LogOptions> = {},
  clock = fakeClock(),
): Promise<LogLine[]> {
  const options = { follow: false, tail: undefined, signal: never, ...changes };
  return Array.fromAsync(readInstanceLogs(store, () => true, options, clock));
}

const texts = (lines: readonly LogLine[]) => lines.map((line) => line.text);

test("positions survive cutting, and a store that is opened again", async () => {
  await using dir = tempDir();
  const file = makeLogFile(dir.path, "stdout");
  const write = (text: string) => appendFileSync(`${dir.path}/stdout.log`, text);
  write("0123456789");
  file.cut(10);
  expect(readdirSync(dir.path)).toEqual(["stdout.log"]);
  write("abcde");
  file.cut(10);
  expect([file.start(), file.end()]).toEqual([5, 15]);
  write("XYZ");
  for (const opened of [file, makeLogFile(dir.path, "stdout")]) {
    expect([opened.start(), opened.end()]).toEqual([5, 18]);
    expect(opened.read(0, 100)).toEqual({ position: 5, bytes: Buffer.from("56789abcde") });
    expect(opened.read(12, 100)).toEqual({ position: 12, bytes: Buffer.from("cde") });
    expect(opened.read(15, 2)).toEqual({ position: 15, bytes: Buffer.from("XY") });
    expect(opened.read(18, 100)).toEqual({ position: 18, bytes: Buffer.alloc(0) });
  }
  write("x".repeat(20));
  file.cut(10);
  expect([file.start(), file.end()]).toEqual([28, 38]);
  expect(readdirSync(dir.path).toSorted()).toEqual(["stdout.38.log", "stdout.log"]);
});

test("what a crash left of a cut is tidied", async () => {
  await using dir = tempDir();
  writeFileSync(`${dir.path}/stdout.10.log`, "old");
  writeFileSync(`${dir.path}/stdout.20.log`, "newer");
  const file = makeLogFile(dir.path, "stdout");
  expect([file.start(), file.end()]).toEqual([15, 20]);
  expect(readdirSync(dir.path)).toEqual(["stdout.20.log"]);
});

test("the bound holds for all of it together", async () => {
  await using dir = tempDir();
  const store = makeLogStore(dir.path, fakeClock(), 400);
  for (let round = 0; round < 50; round++) {
    appendFileSync(`${dir.path}/stdout.log`, "o".repeat(90));
    appendFileSync(`${dir.path}/stderr.log`, "e".repeat(90));
    store.tend();
    const logs = readdirSync(dir.path).filter((name) => name.endsWith(".log"));
    const bytes = logs.reduce((sum, name) => sum + statSync(`${dir.path}/${name}`).size, 0);
    expect(bytes).toBeLessThanOrEqual(400 + 2 * 90);
  }
  expect(store.stdout.end()).toBe(50 * 90);
});

test("lines of both streams come in the order in which they were noted, with their stream and time", async () => {
  await using dir = tempDir();
  const clock = fakeClock();
  const store = makeLogStore(dir.path, clock);
  const write = (stream: string, text: string) => appendFileSync(`${dir.path}/${stream}.log`, text);
  write("stderr", "one\n");
  store.tend();
  await clock.advance(1000);
  write("stdout", "two\nthr");
  store.tend();
  await clock.advance(1000);
  write("stderr", "four\n");
  store.tend();
  await clock.advance(1000);
  write("stdout", "ee\nlast");
  const expected = [
    { stream: "stderr", at: "2026-01-01T00:00:00.000Z", text: "one" },
    { stream: "stdout", at: "2026-01-01T00:00:01.000Z", text: "two" },
    { stream: "stderr", at: "2026-01-01T00:00:02.000Z", text: "four" },
    { stream: "stdout", at: "2026-01-01T00:00:03.000Z", text: "three" },
    { stream: "stdout", at: "2026-01-01T00:00:03.000Z", text: "last" },
  ] as const;
  expect(await read(store, {}, clock)).toEqual([...expected]);
  expect(await read(makeLogStore(dir.path, clock), {}, clock)).toEqual([...expected]);
  expect(texts(await read(store, { since: "2026-01-01T00:00:02Z" }, clock))).toEqual([
    "four",
    "three",
    "last",
  ]);
});

test("tail counts lines, nought too", async () => {
  await using dir = tempDir();
  appendFileSync(`${dir.path}/stdout.log`, Array.from({ length: 30 }, (_, index) => `${index}\n`).join(""));
  const store = makeLogStore(dir.path, fakeClock());
  expect(texts(await read(store, { tail: 3 }))).toEqual(["27", "28", "29"]);
  expect(await read(store, { tail: 0 })).toEqual([]);
  expect(await read(store, { tail: 100 })).toHaveLength(30);
});

test("a log that was cut is read from its oldest byte", async () => {
  await using dir = tempDir();
  const store = makeLogStore(dir.path, fakeClock(), 80);
  for (let index = 10; index < 60; index++) {
    appendFileSync(`${dir.path}/stdout.log`, `line ${index}\n`);
    store.tend();
  }
  const lines = texts(await read(store));
  expect(lines.at(-1)).toBe("line 59");
  expect(lines.length).toBeLessThan(8);
});

test("an instance that wrote nothing has no lines", async () => {
  await using dir = tempDir();
  expect(await read(makeLogStore(`${dir.path}/none`, fakeClock()))).toEqual([]);
});

test("an unreadable time is refused", async () => {
  await using dir = tempDir();
  const error = await read(makeLogStore(dir.path, fakeClock()), { since: "soon" }).catch(
    (thrown: unknown) => thrown,
  );
  expect(error).toMatchObject({ code: "usage.invalid" });
});

test("marks are bounded, and lose what is old first", async () => {
  await using dir = tempDir();
  mkdirSync(dir.path, { recursive: true });
  const marks = makeLogMarks(dir.path);
  for (let index = 1; index <= 20_005; index++) marks.add({ ms: index, stdout: index, stderr: 0 });
  marks.add({ ms: 30_000, stdout: 20_005, stderr: 0 });
  expect(marks.all().length).toBeLessThan(15_100);
  expect(marks.all().at(-1)).toEqual({ ms: 20_005, stdout: 20_005, stderr: 0 });
  expect(makeLogMarks(dir.path).all()).toEqual(marks.all());
});

test("lines are split wherever the bytes were cut, and endless ones come in pieces", () => {
  const splitter = makeLineSplitter();
  const snow = Buffer.from("☃\r\nb");
  expect(splitter.add(snow.subarray(0, 1))).toEqual([]);
  expect(splitter.add(snow.subarray(1))).toEqual(["☃"]);
  expect(splitter.add(Buffer.from("\n\n"))).toEqual(["b", ""]);
  expect(splitter.finish()).toEqual([]);
  expect(splitter.add(Buffer.alloc(LIMITS.logLineBytes, "x"))).toHaveLength(1);
});
