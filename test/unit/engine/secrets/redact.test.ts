import { describe, expect, test } from "bun:test";
import { redactData } from "../../../../src/base/redact.ts";
import { printable } from "../../../../src/base/text.ts";
import { makeRedact } from "../../../../src/engine/secrets/redact.ts";

const PEM =
  "-----BEGIN KEY-----\nMIIBVgIBADANBgkqhkiG9w0\nshort\nAQEFAASCAUAwggE8AgEAAkEA\n-----END KEY-----";

describe("secret values", () => {
  test.each([
    ["as they are", "hunter22", "login hunter22 failed: hunter22!", "login [redacted] failed: [redacted]!"],
    ["as JSON writes them", 'pa"ss\\w', String.raw`{"p":"pa\"ss\\w"}`, '{"p":"[redacted]"}'],
    ["as URLs write them", "p@ss/word", "postgres://u:p%40ss%2Fword@db", "postgres://u:[redacted]@db"],
    ["as base64 writes them", "hunter22", "Bearer aHVudGVyMjI=", "Bearer [redacted]="],
    ["without the spaces around them", " hunter22 ", "x hunter22", "x [redacted]"],
    ["in the middle of a word", "hunter22", "xhunter22y", "x[redacted]y"],
    ["with characters that mean something elsewhere", "a$&.*(b", "see a$&.*(b", "see [redacted]"],
    ["without capitals for others", "hunter22", "HUNTER22", "HUNTER22"],
  ])("are taken out %s", (_, value, text, clean) => {
    expect(makeRedact([value])(text)).toBe(clean);
  });

  test("that overlap leave nothing of each other", () => {
    const redact = makeRedact(["abcd1234", "1234zzzz", "abababab"]);
    expect(redact("<abcd1234zzzz>")).toBe("<[redacted]>");
    expect(redact("<ababababab>")).toBe("<[redacted]>");
    expect(redact("abcd1234abcd1234")).toBe("[redacted]");
    expect(redact("abcd1234 abcd1234")).toBe("[redacted] [redacted]");
  });

  test("that look like the mark leave the mark whole", () => {
    expect(makeRedact(["redacted", "hunter22"])("hunter22")).toBe("[redacted]");
  });

  test("of several lines are found line by line, but for lines that are too short", () => {
    const redact = makeRedact([PEM]);
    expect(redact(PEM)).toBe("[redacted]");
    expect(PEM.split("\n").map(redact)).toEqual([
      "[redacted]",
      "[redacted]",
      "short",
      "[redacted]",
      "[redacted]",
    ]);
    expect(redact(JSON.stringify({ PEM }))).toBe('{"PEM":"[redacted]"}');
  });

  test("that were cut at the end of a text are found too", () => {
    const value = "0123456789abcdef";
    const redact = makeRedact([value], { isCut: true });
    for (let length = 9; length < value.length; length++)
      expect(redact(printable(`x ${value}`, 2 + length))).toBe("x [redacted]…");
    expect(redact("x 01234567")).toBe("x 01234567");
    expect(redact("01234567 is something else…")).toBe("01234567 is something else…");
    // Where a stranger writes and reads, each beginning that is taken out would tell him that his guess was right.
    expect(makeRedact([value])("x 0123456789…")).toBe("x 0123456789…");
  });

  test("that are too short to be told from other text stay", () => {
    expect(makeRedact(["abc", "", "  a "])("abc a")).toBe("abc a");
    expect(makeRedact(["abcd"])("abcd")).toBe("[redacted]");
  });

  test("go out of plain data at any depth; names of fields stay unless they are asked for", () => {
    const redact = makeRedact(["hunter22"]);
    const data = { hunter22: ["hunter22", 1, null, { a: "xhunter22" }], n: 5, t: true };
    expect(redactData(data, redact)).toEqual({
      ...data,
      hunter22: ["[redacted]", 1, null, { a: "x[redacted]" }],
    });
    expect(Object.keys(redactData(data, redact, redact) as object)).toEqual(["[redacted]", "n", "t"]);
  });

  test("are one where a service writes nothing else, and that costs little", () => {
    const redact = makeRedact(["hunter22", "aaaaa"]);
    const text = "hunter22".repeat(4_000_000);
    const start = performance.now();
    expect(redact(`<${text}>`)).toBe("<[redacted]>");
    expect(redact("xaaaaaaaay aaaa")).toBe("x[redacted]y aaaa");
    // Four million ranges would take several seconds.
    expect(performance.now() - start).toBeLessThan(2_000);
  });

  test("cost little where they are not: a thousand lines with a hundred secrets", () => {
    const redact = makeRedact(Array.from({ length: 100 }, (_, i) => `secret-number-${i}-zzzz`));
    const line = "2026-01-01T00:00:00Z GET /index.html 200 12ms ".repeat(3);
    const start = performance.now();
    for (let i = 0; i < 1000; i++) redact(line);
    expect(performance.now() - start).toBeLessThan(1000);
  });
});
