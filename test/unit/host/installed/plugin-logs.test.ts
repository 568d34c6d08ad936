import { expect, test } from "bun:test";
import { LIMITS } from "../../../../src/base/limits.ts";
import { makePluginLogs } from "../../../../src/host/installed/plugin-logs.ts";
import { openDatabase } from "../../../../src/state/database.ts";
import { makePluginLogRows } from "../../../../src/state/plugin-logs.ts";

function setUp(lines: number, text = (index: number) => `${index}`) {
  const logs = makePluginLogs(
    makePluginLogRows(openDatabase(":memory:"), {
      rows: LIMITS.logRowsPerPlugin,
      bytes: LIMITS.logBytesPerPlugin,
    }),
  );
  for (let index = 0; index < lines; index++) {
    logs.append("loud", { at: "now", level: "info", text: text(index) });
  }
  return logs;
}

test("all lines after a mark are given where they are few", () => {
  const logs = setUp(3);
  const mark = logs.mark("loud");
  expect(logs.since("loud", mark)).toEqual([]);
  logs.append("loud", { at: "now", level: "info", text: "new" });
  expect(logs.since("loud", mark)).toEqual([{ at: "now", level: "info", text: "new" }]);
});

test("of more lines than an answer may have, the last are given, and it is said", () => {
  const lines = setUp(2 * LIMITS.callLogLines).since("loud", 0);
  expect(lines).toHaveLength(LIMITS.callLogLines + 1);
  expect(lines[0]).toMatchObject({
    level: "warn",
    text: expect.stringContaining("plugin logs loud") as string,
  });
  expect(lines.at(-1)?.text).toBe(`${2 * LIMITS.callLogLines - 1}`);
});

test("of larger lines than an answer may have, the last are given, and it is said", () => {
  const lines = setUp(400, () => "x".repeat(LIMITS.logTextChars)).since("loud", 0);
  expect(lines.slice(1).reduce((sum, { text }) => sum + text.length, 0)).toBe(LIMITS.callLogChars);
  expect(lines[0]?.text).toContain("earlier lines are left out");
});

test("who follows late gets every line all the same", async () => {
  const logs = setUp(1);
  const stop = new AbortController();
  const lines = logs.tail("loud", { limit: 10, follow: true, signal: stop.signal });
  expect((await lines.next()).value).toMatchObject({ text: "0" });
  const count = 3 * LIMITS.logLinesAtOnce;
  for (let index = 1; index <= count; index++) {
    logs.append("loud", { at: "now", level: "info", text: `${index}` });
  }
  for (let index = 1; index <= count; index++) {
    expect((await lines.next()).value).toMatchObject({ text: `${index}` });
  }
  stop.abort();
  expect((await lines.next()).done).toBe(true);
});
