import { afterEach, expect, test } from "bun:test";
import {
  appendFileSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { LIMITS } from "../../../../src/base/limits.ts";
import { readStore, type ReadOptions } from "../../../../src/engine/logs/read.ts";
import { openStore, type LogStore, type StoreOptions } from "../../../../src/engine/logs/store.ts";
import { makeSerial } from "../../../../src/engine/serial.ts";
import type { LogPart } from "../../../../src/engine/providers/provider.ts";
import { seededRandom } from "../../../random.ts";
import { fakeClock, tempDir, until } from "../../../harness.ts";

const AT = Date.UTC(2026, 0, 31, 8);
const never = new AbortController().signal;

const opened: LogStore[] = [];
afterEach(async () => {
  for (const store of opened.splice(0)) await store.close();
});

async function open(dir: string, changes: Partial<StoreOptions> = {}): Promise<LogStore> {
  const store = await openStore({
    dir,
    maxBytes: () => LIMITS.serviceLogBytes,
    redact: (text) => text,
    ...changes,
  });
  opened.push(store);
  return store;
}

function part(text: string, changes: Partial<LogPart> = {}): LogPart {
  return { stream: "stdout", atMs: AT, text, ...changes };
}

async function read(store: LogStore, options: Partial<ReadOptions> = {}): Promise<string[]> {
  const lines = readStore(store, { follow: false, signal: never, ...options }, fakeClock());
  return (await Array.fromAsync(lines)).map(({ text }) => text);
}

const used = (dir: string) =>
  readdirSync(dir).reduce((sum, name) => sum + statSync(`${dir}/${name}`).size, 0);
const numbers = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, i) => `${from + i}`);

test("lines and positions are there again for the next daemon", async () => {
  await using dir = tempDir();
  const store = await open(dir.path);
  expect(store.position(1)).toBeUndefined();
  await store.append(1, { parts: [part("one\ntwo"), part("bad", { stream: "stderr" })], position: "7,4" });
  await store.append(2, { parts: [part("")], position: "2026-01-31T08:00:00.1Z,stdout,1,0,0" });
  await store.close();
  const next = await open(dir.path);
  expect([next.position(1), next.position(2)]).toEqual(["7,4", "2026-01-31T08:00:00.1Z,stdout,1,0,0"]);
  const lines = await Array.fromAsync(readStore(next, { follow: false, signal: never }, fakeClock()));
  expect(lines).toEqual([
    { at: "2026-01-31T08:00:00.000Z", level: "info", stream: "stdout", text: "one", version: 1 },
    { at: "2026-01-31T08:00:00.000Z", level: "info", stream: "stdout", text: "two", version: 1 },
    { at: "2026-01-31T08:00:00.000Z", level: "error", stream: "stderr", text: "bad", version: 1 },
    { at: "2026-01-31T08:00:00.000Z", level: "info", stream: "stdout", text: "", version: 2 },
  ]);
  next.forget(1);
  await next.append(2, { parts: [], position: "x" });
  await next.close();
  expect((await open(dir.path)).position(1)).toBeUndefined();
});

test("what was not written whole is not there, wherever the daemon was killed", async () => {
  await using dir = tempDir();
  const store = await open(dir.path);
  await store.append(1, { parts: [part("one")], position: "a" });
  const whole = used(dir.path);
  await store.append(1, { parts: [part("two\n#three 1=x")], position: "b" });
  await store.close();
  const [name = ""] = readdirSync(dir.path);
  const bytes = readFileSync(`${dir.path}/${name}`);
  for (let size = whole; size < bytes.length; size++) {
    writeFileSync(`${dir.path}/${name}`, bytes.subarray(0, size));
    const next = await open(dir.path);
    expect([next.position(1), ...(await read(next))]).toEqual(["a", "one"]);
    await next.append(1, { parts: [part("two")], position: "b" });
    expect(await read(next)).toEqual(["one", "two"]);
    await next.close();
  }
  // A new file that was begun and no more.
  writeFileSync(`${dir.path}/${name}`, bytes);
  writeFileSync(`${dir.path}/00000002.log`, "#");
  expect((await open(dir.path)).position(1)).toBe("b");
});

test("a service can't write what looks like a position", async () => {
  await using dir = tempDir();
  const store = await open(dir.path);
  await store.append(1, { parts: [part("# 1=forged\n# 1=forged")], position: "true" });
  await store.close();
  const next = await open(dir.path);
  expect(next.position(1)).toBe("true");
  expect(await read(next)).toEqual(["# 1=forged", "# 1=forged"]);
});

test("the bound holds, the oldest lines go first, and positions outlive their files", async () => {
  await using dir = tempDir();
  const maxBytes = 400_000;
  const store = await open(dir.path, { maxBytes: () => maxBytes });
  await store.append(7, { parts: [part("of another version")], position: "seven" });
  for (let round = 0; round < 100; round++) {
    await store.append(1, {
      parts: [part(numbers(round * 500 + 1, round * 500 + 500).join("\n"))],
      position: `${round}`,
    });
    expect(used(dir.path)).toBeLessThanOrEqual(maxBytes);
  }
  const lines = await read(store);
  expect(lines).toEqual(numbers(Number(lines[0]), 50_000));
  expect(lines.length).toBeGreaterThan(5_000);
  await store.close();
  const next = await open(dir.path, { maxBytes: () => maxBytes });
  expect([next.position(1), next.position(7)]).toEqual(["99", "seven"]);
});

test("the last lines are those of the whole, whatever is asked for", async () => {
  await using dir = tempDir();
  const store = await open(dir.path, { maxBytes: () => 2_000_000 });
  const random = seededRandom(7);
  const all: { text: string; stream: string }[] = [];
  for (let round = 0; round < 60; round++) {
    const stream = random() < 0.3 ? "stderr" : "stdout";
    const texts = Array.from(
      { length: 1 + Math.floor(random() * 400) },
      (_, i) => `${round}/${i} ☃${"x".repeat(random() * 200)}`,
    );
    await store.append(1, {
      parts: [part(texts.join("\n"), { stream, atMs: AT + round * 1000 })],
      position: "p",
    });
    all.push(...texts.map((text) => ({ text, stream })));
  }
  const kept = await read(store);
  expect(kept).toEqual(all.slice(-kept.length).map(({ text }) => text));
  for (const lines of [0, 1, 7, 1000, 1_000_000])
    expect(await read(store, { lines })).toEqual(lines === 0 ? [] : kept.slice(-lines));
  const wanted = all
    .slice(-kept.length)
    .filter(({ text, stream }) => stream === "stderr" && text.includes("/1"));
  for (const lines of [1, 5, 100])
    expect(await read(store, { lines, stream: "stderr", search: "/1" })).toEqual(
      wanted.slice(-lines).map(({ text }) => text),
    );
  const since = await read(store, { sinceMs: AT + 58_000 });
  expect(since).toEqual(kept.filter((text) => /^5[89]\//.test(text)));
  expect(await read(store, { untilMs: AT + 58_500, sinceMs: AT + 58_000 })).toEqual(
    kept.filter((text) => text.startsWith("58/")),
  );
});

test("text is looked for as it is, and with other capitals where that is asked for", async () => {
  await using dir = tempDir();
  const store = await open(dir.path);
  await store.append(1, { parts: [part("a.b\naxb\nÄRGER\n(a+)+$")], position: "p" });
  expect(await read(store, { search: "a.b" })).toEqual(["a.b"]);
  expect(await read(store, { search: "(a+)+$" })).toEqual(["(a+)+$"]);
  expect(await read(store, { search: "ärger" })).toEqual([]);
  expect(await read(store, { search: "ärger", ignoreCase: true })).toEqual(["ÄRGER"]);
});

test("a follower misses nothing between the old lines and the new ones, and costs no writer anything", async () => {
  await using dir = tempDir();
  const store = await open(dir.path);
  await store.append(1, { parts: [part(numbers(1, 100).join("\n"))], position: "p" });
  const seen: string[] = [];
  const following = (async () => {
    for await (const { text } of readStore(store, { lines: 50, follow: true, signal: never }, fakeClock()))
      seen.push(text);
  })();
  for (let from = 101; from <= 2000; from += 100)
    await store.append(1, { parts: [part(numbers(from, from + 99).join("\n"))], position: "p" });
  await until(() => seen.length >= 1950);
  expect(seen).toEqual(numbers(51, 2000));
  await store.close();
  await following;
});

test("a follower that was too slow is told that something is missing", async () => {
  await using dir = tempDir();
  const store = await open(dir.path, { maxBytes: () => 100_000 });
  await store.append(1, { parts: [part("first")], position: "p" });
  const lines = readStore(store, { follow: true, signal: never }, fakeClock());
  expect((await lines.next()).value).toMatchObject({ text: "first" });
  for (let round = 0; round < 100; round++)
    await store.append(1, { parts: [part(`${round} ${"x".repeat(5000)}`)], position: "p" });
  expect((await lines.next()).value).toMatchObject({
    level: "warn",
    text: expect.stringContaining("missing"),
  });
  await lines.return(undefined);
});

test("secrets are taken out before anything is written, also those that have several lines", async () => {
  await using dir = tempDir();
  const store = await open(dir.path, { redact: (text) => text.replaceAll("BEGIN\nKEY\nEND", "***") });
  await store.append(1, { parts: [part("x BEGIN\nKEY\nEND y")], position: "p" });
  expect(await read(store)).toEqual(["x *** y"]);
  for (const name of readdirSync(dir.path))
    expect(readFileSync(`${dir.path}/${name}`, "utf8")).not.toContain("KEY");
});

test("a line of a megabyte and a clock that jumps do no harm", async () => {
  await using dir = tempDir();
  const store = await open(dir.path);
  const long = "\uFFFD".repeat(LIMITS.logLineBytes);
  await store.append(1, { parts: [part(long), part("after", { atMs: AT - 86_400_000 })], position: "p" });
  expect(await read(store)).toEqual([long, "after"]);
  expect(await read(store, { lines: 2 })).toEqual([long, "after"]);
  expect(await read(store, { sinceMs: AT })).toEqual([long]);
});

test("a disk that was full loses nothing once it has room", async () => {
  await using dir = tempDir();
  const store = await open(dir.path);
  await store.append(1, { parts: [part("one")], position: "a" });
  const [name = ""] = readdirSync(dir.path);
  // What a write that failed left behind.
  appendFileSync(`${dir.path}/${name}`, "2026-01-31T08:00:00.000Z o1 torn");
  await store.append(1, { parts: [part("two")], position: "b" });
  expect(await read(store)).toEqual(["one", "two"]);
  await store.close();
  truncateSync(`${dir.path}/${name}`, statSync(`${dir.path}/${name}`).size);
  expect((await open(dir.path)).position(1)).toBe("b");
  rmSync(dir.path, { recursive: true });
});

test("however many read, one block is looked through at a time, and whoever left looks no more", async () => {
  await using dir = tempDir();
  const store = await open(dir.path);
  const text = numbers(1, 2_000).join("\n");
  for (let i = 0; i < 100; i++) await store.append(1, { parts: [part(text)], position: `${i}` });
  let [running, most, looks] = [0, 0, 0];
  async function counted<T>(work: Promise<T>): Promise<T> {
    looks++;
    most = Math.max(most, ++running);
    try {
      return await work;
    } finally {
      running--;
    }
  }
  const watched: LogStore = {
    ...store,
    readFrom: (cursor, bytes) => counted(store.readFrom(cursor, bytes)),
    readBefore: (cursor, bytes) => counted(store.readBefore(cursor, bytes)),
  };
  const turn = makeSerial();
  const leaves = new AbortController();
  const ask = (signal: AbortSignal) =>
    Array.fromAsync(
      readStore(watched, { lines: 5, search: "nowhere", follow: false, signal }, fakeClock(), turn),
    );
  const asked = [...Array.from({ length: 10 }, () => ask(never)), ask(leaves.signal)];
  await ask(never);
  leaves.abort();
  expect(await Promise.all(asked)).toEqual(asked.map(() => []));
  expect(most).toBe(1);
  const before = looks;
  await ask(AbortSignal.abort());
  expect(looks).toBe(before);
});
