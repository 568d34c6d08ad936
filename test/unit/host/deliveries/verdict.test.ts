/** When a failed delivery is tried again, and what a failure says in the end. */
import { describe, expect, test } from "bun:test";
import { fail, type ErrorCode } from "../../../../src/base/errors.ts";
import { LIMITS } from "../../../../src/base/limits.ts";
import { errorText, verdictOn, type Verdict } from "../../../../src/host/deliveries/verdict.ts";

describe("verdictOn", () => {
  const table: readonly (readonly [ErrorCode, attempts: number, Verdict])[] = [
    ["plugin.failed", 1, { kind: "retry", waitMs: 1_000 }],
    ["plugin.timeout", 2, { kind: "retry", waitMs: 5_000 }],
    ["plugin.crashed", 3, { kind: "retry", waitMs: 30_000 }],
    ["plugin.out_of_memory", 4, { kind: "retry", waitMs: 120_000 }],
    ["plugin.failed", 5, { kind: "dead" }],
    ["plugin.failed", 6, { kind: "dead" }],
    ["plugin.no_hook", 1, { kind: "dead" }],
    ["plugin.disabled", 1, { kind: "park", waitMs: 300_000 }],
    ["plugin.tampered", 5, { kind: "park", waitMs: 300_000 }],
    ["plugin.paused", 5, { kind: "park", waitMs: 300_000 }],
    ["config.invalid", 5, { kind: "park", waitMs: 30_000 }],
    ["manifest.invalid", 5, { kind: "park", waitMs: 30_000 }],
    ["confinement.unavailable", 5, { kind: "park", waitMs: 30_000 }],
    ["plugin.load_failed", 5, { kind: "dead" }],
    ["plugin.stopped", 5, { kind: "park", waitMs: 1_000 }],
    ["plugin.not_found", 1, { kind: "bury" }],
  ];
  test.each(table)("%s after %d runs", (code, attempts, verdict) => {
    expect(verdictOn(fail(code, "x"), attempts)).toEqual(verdict);
  });

  test("a suspended plugin's events wait until it tries again", () => {
    const suspended = fail("plugin.suspended", "x", { details: { retryMs: 12_345 } });
    expect(verdictOn(suspended, 5)).toEqual({ kind: "park", waitMs: 12_345 });
  });

  test("a bug of ours is tried again like any failure", () => {
    expect(verdictOn(new TypeError("x"), 1)).toEqual({ kind: "retry", waitMs: 1_000 });
  });
});

describe("errorText", () => {
  test("is one printable line that begins with the code", () => {
    expect(errorText(fail("plugin.failed", "two\nlines \u001B[31mred"))).toBe(
      "plugin.failed: two lines [31mred",
    );
  });

  test("is cut", () => {
    const text = errorText(fail("plugin.failed", "x".repeat(10_000_000)));
    expect(text.length).toBe("plugin.failed: ".length + LIMITS.errorTextChars);
    expect(text.endsWith("x…")).toBe(true);
  });

  test("ends with what would allow what a plugin was refused", () => {
    const refused = fail("plugin.failed", "that is not granted", { hint: "to allow it: grant it" });
    expect(errorText(refused)).toBe("plugin.failed: that is not granted; to allow it: grant it");
  });

  test("does not show what a bug says", () => {
    expect(errorText(new Error("password=hunter2"))).toBe(
      "internal.bug: something went wrong inside voxeltron",
    );
  });
});
