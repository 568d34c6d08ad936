/** `.dockerignore` in Docker's manner, and what a stranger may write into one. */
import { describe, expect, test } from "bun:test";
import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { LIMITS } from "../../../../../src/base/limits.ts";
import { readBuildContext } from "../../../../../src/engine/providers/docker/build-context.ts";
import { readIgnoreRules } from "../../../../../src/engine/providers/docker/ignore-rules.ts";
import { rejection } from "../../../../fixtures/rejection.ts";
import { tempDir } from "../../../../harness.ts";

const { signal } = new AbortController();
const ignores = (rules: string, path: string): boolean => readIgnoreRules(rules, ".dockerignore")(path);

describe("a rule", () => {
  test.each([
    ["node_modules", "node_modules/left-pad/index.js", true],
    ["node_modules", "app/node_modules/x", false],
    ["/dist/", "dist/main.js", true],
    ["./dist", "dist", true],
    ["*.log", "a.log", true],
    ["*.log", "logs/a.log", false],
    ["*/*.log", "logs/a.log", true],
    ["**/*.log", "a.log", true],
    ["**/*.log", "logs/deep/a.log", true],
    ["logs/**", "logs/deep/a.log", true],
    ["logs/**", "log", false],
    ["a/**/b", "a/b", true],
    ["a/**/b", "a/x/y/b/c", true],
    ["a/**/b", "ab", false],
    ["**", "anything/at/all", true],
    ["**/.git", ".git/config", true],
    ["temp?", "tempa/x", true],
    ["temp?", "temp/", false],
    ["[a-c]x", "bx", true],
    ["[^a-c]x", "bx", false],
    ["[]]x", "]x", true],
    [String.raw`\*`, "*", true],
    [String.raw`\*`, "a", false],
    ["(a|b)+{2}", "(a|b)+{2}", true],
    ["(a|b)", "a", false],
    ["# node_modules", "# node_modules", false],
    ["*.md\n!README.md", "README.md", false],
    ["*.md\n!README.md", "NOTES.md", true],
    ["!README.md\n*.md", "README.md", true],
    ["\uFEFFsecret", "secret", true],
    ["secret\r\nother\r\n", "secret", true],
    ["x", "constructor", false],
    ["", "a", false],
  ])("%j leaves out %s: %p", (rules, path, expected) => {
    expect(ignores(rules, path)).toBe(expected);
  });

  test.each(["[a", String.raw`a\ `.trim(), "ok\n[a-"])(
    "%j without an end is an error with its line",
    (rules) => {
      expect(() => ignores(rules, "a")).toThrow(`.dockerignore, line ${rules.split("\n").length}`);
    },
  );

  test("with many stars does not keep the daemon busy", () => {
    const stars = `${"*a".repeat(60)}b`;
    const began = performance.now();
    for (const rules of [stars, `${"**/a".repeat(60)}b`, "(a+)+$"])
      expect(ignores(rules, "a".repeat(255))).toBe(false);
    // With a regular expression it would be years.
    expect(performance.now() - began).toBeLessThan(5_000);
  });

  test("is one of so many", () => {
    expect(() => ignores("a\n".repeat(LIMITS.ignoreRules + 1), "a")).toThrow("lines");
    expect(() => ignores("*a".repeat(LIMITS.ignoreStars + 1), "a")).toThrow("stars");
  });
});

describe("the list itself", () => {
  test("is no link: it would be read with the daemon's rights", async () => {
    const folder = tempDir().path;
    writeFileSync(join(folder, "Dockerfile"), "FROM scratch\n");
    mkdirSync(join(folder, "rules"));
    writeFileSync(join(folder, "rules/list"), "Dockerfile\n");
    const control = await readBuildContext(folder, "Dockerfile", signal);
    expect(control.files).toBe(2);
    symlinkSync("/dev/zero", join(folder, ".dockerignore"));
    const error = await rejection(readBuildContext(folder, "Dockerfile", signal));
    expect(error).toMatchObject({ code: "deploy.build_failed" });
  });
});
