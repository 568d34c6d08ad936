import { expect, test } from "bun:test";
import { appendFileSync, readdirSync, rmSync, statSync } from "node:fs";
import { LIMITS } from "../../../../../src/base/limits.ts";
import { lastParts, linesText, wholeLines } from "../../../../../src/engine/providers/log-text.ts";
import { makeLogFile } from "../../../../../src/engine/providers/process/log-file.ts";
import { makeLogStore, type LogStore } from "../../../../../src/engine/providers/process/log-store.ts";
import { readInstanceLogs } from "../../../../../src/engine/providers/process/read-logs.ts";
import type { LogPart } from "../../../../../src/engine/providers/provider.ts";
import { linesOf } from "../../../../fixtures/log-lines.ts";
import { fakeClock, tempDir } from "../../../../harness.ts";

const never = new AbortController().signal;
const MIB = 1024 * 1024;

function read(store: LogStore, from?: string): Promise<LogPart[]> {
  return Array.fromAsync(
    linesOf(readInstanceLogs(store, () => true, { from, signal: never }, fakeClock(Date.now()))),
  );
}

const texts = (lines: readonly LogPart[]) => lines.map((line) => line.text);
const used = (dir: string) =>
  readdirSync(dir).reduce((sum, name) => sum + statSync(`${dir}/${name}`).blocks * 512, 0);

test("what is let go of is given back to the disk while others write; positions stay, after a restart too", async () => {
  await using dir = tempDir();
  const file = makeLogFile(dir.path, "stdout");
  const write = (bytes: Buffer | string) => appendFileSync(`${dir.path}/stdout.0.log`, bytes);
  expect([file.start(), file.end()]).toEqual([0, 0]);
  write("");
  const opened = makeLogFile(dir.path, "stdout");
  write(Buffer.alloc(5 * MIB, "a"));
  write("tail");
  opened.release(5 * MIB + 2);
  expect(used(dir.path)).toBeLessThan(256 * 1024);
  for (const each of [opened, makeLogFile(dir.path, "stdout")]) {
    expect([each.start(), each.end()]).toEqual([5 * MIB, 5 * MIB + 4]);
    expect(each.read(0, 100)).toMatchObject({ position: 5 * MIB, bytes: Buffer.from("tail") });
    expect(each.read(5 * MIB + 2, 1).bytes.toString()).toBe("i");
    expect(each.read(5 * MIB + 4, 100).bytes).toHaveLength(0);
  }
});

test("each start of the program has a file of its own, which goes when it was read", async () => {
  await using dir = tempDir();
  const store = makeLogStore(dir.path);
  const run = (text: string) => store.withOutput(({ stdout }) => appendFileSync(stdout, text));
  run("first without end");
  run("second\n");
  run("");
  run("third\n");
  expect(
    readdirSync(dir.path)
      .filter((name) => name.startsWith("stdout"))
      .toSorted(),
  ).toEqual(["stdout.0.log", "stdout.17.log", "stdout.24.log"]);
  expect(texts(await read(store))).toEqual(["first without end", "second", "third"]);
  expect(readdirSync(dir.path).filter((name) => name.startsWith("stdout"))).toEqual(["stdout.24.log"]);
  expect(texts(await read(makeLogStore(dir.path), "17,0"))).toContain("third");
});

test("where the disk can't give back a beginning, all of the file goes once it was read", async () => {
  await using dir = tempDir();
  const file = makeLogFile(dir.path, "stdout", () => false);
  file.openToAppend();
  appendFileSync(`${dir.path}/stdout.0.log`, Buffer.alloc(2 * MIB, "a"));
  file.release(1.5 * MIB);
  expect(file.end() - file.start()).toBe(2 * MIB);
  file.release(2 * MIB);
  expect([file.start(), file.end()]).toEqual([2 * MIB, 2 * MIB]);
  expect(used(dir.path)).toBe(0);
});

test("a flood that nobody reads is bounded, and its reader is told how much is missing", async () => {
  await using dir = tempDir();
  const store = makeLogStore(dir.path, 8 * MIB);
  const line = `${"x".repeat(1023)}\n`;
  store.withOutput(({ stdout }) => {
    for (let round = 0; round < 20; round++) {
      appendFileSync(stdout, line.repeat(1024));
      store.tend();
      expect(used(dir.path)).toBeLessThanOrEqual(6 * MIB);
    }
  });
  const [first = "", ...rest] = texts(await read(store));
  expect(first).toMatch(/^\[voxeltron\] \d+ bytes of output are missing here/);
  expect(rest.length).toBe(20 * 1024 - Number(/\d+/.exec(first)?.[0]) / 1024);
});

test("lines go on from each position, have their stream and the time of the file", async () => {
  await using dir = tempDir();
  const store = makeLogStore(dir.path);
  store.withOutput(({ stdout, stderr }) => {
    appendFileSync(stdout, "one\r\ntwo\n");
    appendFileSync(stderr, "bad\n\nno end");
  });
  const lines = await read(store);
  expect(lines.map(({ stream, text }) => `${stream} ${text}`)).toEqual([
    "stdout one",
    "stdout two",
    "stderr bad",
    "stderr ",
    "stderr no end",
  ]);
  for (const { atMs } of lines) expect(Math.abs(atMs - Date.now())).toBeLessThan(60_000);
  expect(texts(await read(store, "5,0"))).toEqual(["two", "bad", "", "no end"]);
  expect(texts(await read(store, "9,4"))).toEqual(["", "no end"]);
  expect(texts(await read(store, "9,11"))).toEqual([]);
});

test("an instance that wrote nothing, or is gone, has no lines", async () => {
  await using dir = tempDir();
  expect(await read(makeLogStore(`${dir.path}/none`))).toEqual([]);
  const store = makeLogStore(dir.path);
  store.withOutput(({ stdout }) => appendFileSync(stdout, "x\n"));
  rmSync(`${dir.path}/stdout.0.log`);
  expect(await read(store)).toEqual([]);
});

test("a line without end is cut at a blank, or between two characters", () => {
  const bytes = Buffer.alloc(LIMITS.logLineBytes, "x");
  expect(wholeLines(bytes.subarray(1))).toBe(0);
  expect(wholeLines(bytes)).toBe(bytes.length);
  bytes.set(Buffer.from("☃").subarray(0, 2), bytes.length - 2);
  expect(wholeLines(bytes)).toBe(bytes.length - 2);
  bytes.write(" ", bytes.length - 100);
  expect(wholeLines(bytes)).toBe(bytes.length - 99);
  bytes.write("\n", 10);
  expect(wholeLines(bytes)).toBe(11);
});

test("bytes that are no text, and empty lines, do no harm", () => {
  expect(linesText(Buffer.from([0x61, 0xff, 0xfe, 0x0a]))).toBe("a\uFFFD\uFFFD");
  expect(linesText(Buffer.from("\n"))).toBe("");
  expect(linesText(Buffer.from("a\n\n"))).toBe("a\n");
  expect(linesText(Buffer.from("a\r\n"))).toBe("a");
});

test("the last lines of many parts are the last lines", () => {
  const part = (text: string) => ({ stream: "stdout", atMs: 0, text }) as const;
  const parts = [part("a\nb"), part("c"), part("d\ne\nf")];
  const last = (count: number) => lastParts(parts, count).map(({ text }) => text);
  expect([0, 1, 3, 4, 5, 6, 9].map(last)).toEqual([
    [],
    ["f"],
    ["d\ne\nf"],
    ["c", "d\ne\nf"],
    ["b", "c", "d\ne\nf"],
    ["a\nb", "c", "d\ne\nf"],
    ["a\nb", "c", "d\ne\nf"],
  ]);
});

test("who looks at a log takes nothing away, and begins where he wants", async () => {
  await using dir = tempDir();
  const store = makeLogStore(dir.path);
  const write = (text: string) => store.withOutput(({ stdout }) => appendFileSync(stdout, text));
  write(`${"x".repeat(1000)}\n`.repeat(4 * 1024));
  write("last but one\nlast, without end");
  const look = (tail?: number) =>
    Array.fromAsync(
      linesOf(
        readInstanceLogs(
          store,
          () => false,
          { from: undefined, look: { tail, follow: false }, signal: never },
          fakeClock(Date.now()),
        ),
      ),
    );
  for (let time = 0; time < 2; time++) {
    expect((await look()).length).toBe(4 * 1024 + 2);
    expect(texts(await look(3))).toEqual(["x".repeat(1000), "last but one", "last, without end"]);
    expect(await look(0)).toEqual([]);
  }
  // The control: whoever keeps what he reads lets go of it.
  const all = await Array.fromAsync(
    linesOf(readInstanceLogs(store, () => true, { from: undefined, signal: never }, fakeClock(Date.now()))),
  );
  expect(all.length).toBe(4 * 1024 + 2);
  expect((await look()).length).toBeLessThan(4 * 1024);
});
