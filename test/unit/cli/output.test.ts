import { expect, test } from "bun:test";
import { fail } from "../../../src/base/errors.ts";
import { facts, json, jsonLine, reportError, table } from "../../../src/cli/output.ts";
import { fakeIo } from "./fake-io.ts";

test("columns are as wide as their widest cell, wide characters counted as they are shown", () => {
  expect(
    table(
      ["A", "BB"],
      [
        ["日本", 1],
        ["x", null],
      ],
      "none",
    ),
  ).toBe("A     BB\n日本  1\nx     -\n");
});

test("an empty table is a sentence", () => {
  expect(table(["A"], [], "nothing is deployed")).toBe("nothing is deployed\n");
});

test("facts leave out what is not known", () => {
  expect(
    facts([
      ["name", "web"],
      ["image", null],
      ["restarts", 0],
    ]),
  ).toBe("name:     web\nrestarts: 0\n");
});

test("a document ends with one line end, and a line is one line", () => {
  expect(json({ a: 1 })).toBe('{\n  "a": 1\n}\n');
  expect(jsonLine({ a: "x\ny" })).toBe('{"a":"x\\ny"}\n');
});

test("JSON holds nothing that a terminal obeys or that hides a text, and is the same for a program", () => {
  const value = { a: "\u001b[2J\u009b2J\u007f", b: "\u202e\u200b\u2028\u{e0041}", "\u009b": "日本 é 👍" };
  for (const text of [json(value), jsonLine(value)]) {
    expect(text.trim().replaceAll("\n", "")).not.toMatch(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u);
    expect(JSON.parse(text)).toEqual(value);
    expect(text).toContain("日本 é 👍");
  }
});

test("an error is a clause and a hint; only a terminal without NO_COLOR gets colour", async () => {
  const error = fail("plugin.not_found", 'no plugin is called "a"\u001B[31m\nfake: line', { hint: "look" });
  const piped = fakeIo();
  await reportError(piped, error, false);
  expect(piped.shown.stderr).toBe('error: no plugin is called "a"[31m fake: line\nhint: look\n');
  expect(piped.shown.stdout).toBe("");
  const terminal = fakeIo({ terminal: true });
  await reportError(terminal, error, false);
  expect(terminal.shown.stderr).toStartWith("\u001B[1;31merror:\u001B[0m ");
  const plain = fakeIo({ terminal: true, environment: { NO_COLOR: "1" } });
  await reportError(plain, error, false);
  expect(plain.shown.stderr).toStartWith("error: ");
});

test("what an instance wrote last and where a plugin failed stand between the error and its hint", async () => {
  const io = fakeIo();
  const details = { logs: ["no port\u001B[2J", 7], stack: ["on_alert (index.ts:3:9)"] };
  await reportError(io, fail("deploy.exited", "web ended", { hint: "look", details }), false);
  const [error, frame, title, line, hint] = io.shown.stderr.split("\n");
  expect([error, frame, title, hint]).toEqual([
    "error: web ended",
    "  at on_alert (index.ts:3:9)",
    "its last lines:",
    "hint: look",
  ]);
  expect(line).toStartWith("  | no port");
  expect(line).not.toContain("\u001B");
});

test("with JSON the error is a document on stderr, and a bug keeps its text to itself", async () => {
  const io = fakeIo();
  await reportError(io, fail("consent.needed", "no", { hint: "h", details: { a: 1 } }), true);
  expect(JSON.parse(io.shown.stderr)).toEqual({
    error: { code: "consent.needed", message: "no", hint: "h", details: { a: 1 } },
  });
  const bug = fakeIo();
  await reportError(bug, new TypeError("x is secret"), true);
  expect(bug.shown.stderr).not.toContain("secret");
});

test("a command at the end of a line is not cut off", () => {
  const advice = `${"x".repeat(300)}: voxeltron plugin grant sample fs_read=files/a`;
  expect(table(["ID", "WHY"], [["1", advice]], "")).toContain(`1   ${advice}\n`);
  expect(facts([["state", advice]])).toBe(`state: ${advice}\n`);
  expect(table(["LONG", "ID"], [["x".repeat(300), "1"]], "").length).toBeLessThan(500);
});
