/** The rules of ARCHITECTURE.md as a test: who may import whom, and which powers are held where. */
import { describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { dirname, join, normalize } from "node:path";
import { findings } from "../architecture/rules.ts";
import type { Source } from "../architecture/source.ts";

const root = join(import.meta.dir, "../..");

function readSources(): Source[] {
  return [...new Bun.Glob("src/**/*.ts").scanSync(root)]
    .filter((path) => !path.includes(".generated."))
    .toSorted()
    .map((path) => ({ path, text: readFileSync(join(root, path), "utf8") }));
}

describe("architecture", () => {
  test("the source keeps every rule", () => {
    expect(findings(readSources())).toEqual([]);
  });

  const broken: readonly (readonly [rule: string, path: string, text: string])[] = [
    ["imports run downwards", "src/base/a.ts", 'import "../state/database.ts";'],
    ["imports run downwards", "src/state/a.ts", 'import type { X } from "../engine/edge.ts";'],
    ["host and engine meet in daemon/compose only", "src/host/a.ts", 'import { x } from "../engine/a.ts";'],
    [
      "host and engine meet in daemon/compose only",
      "src/engine/a.ts",
      'const x = await import("../host/a.ts");',
    ],
    ["cli speaks to the api", "src/cli/a.ts", 'import { x } from "../state/a.ts";'],
    ["the sdk stands alone", "src/sdk/a.ts", 'import { x } from "../base/errors.ts";'],
    ["the sdk stands alone", "src/sdk/a.ts", 'import * as v from "valibot";'],
    ["only state speaks SQL", "src/host/a.ts", 'import { Database } from "bun:sqlite";'],
    ["dockerode is held by its provider", "src/engine/deploys/a.ts", 'import Docker from "dockerode";'],
    ["mail leaves through one client", "src/engine/a.ts", 'import "nodemailer/lib/smtp-connection";'],
    ["libc is held by platform", "src/host/a.ts", 'import { dlopen } from "bun:ffi";'],
    ["output must not be cut", "src/daemon/a.ts", "process.exit(1);"],
    ["one place writes", "src/engine/a.ts", 'console.log("x");'],
    ["time comes from a Clock", "src/engine/a.ts", "const t = Date.now();"],
    ["no shell", "src/engine/a.ts", 'Bun.$`ls`; const c = ["sh", "-c", x];'],
    ["a file says what it is", "src/engine/a.ts", "export const x = 1;"],
    [
      "a head names callers that exist",
      "src/engine/a.ts",
      "/** A thing. Pure. Called by b.ts and c/d.ts. */",
    ],
    ["a file is short", "src/engine/a.ts", `/** Long. */\n${"x;\n".repeat(401)}`],
  ];
  test.each(broken)("the rule '%s' notices a breach in %s", (rule, path, text) => {
    const headed =
      rule.startsWith("a file says") || text.startsWith("/**") ? text : `/** A file. */\n${text}`;
    expect(findings([{ path, text: headed }]).map((finding) => finding.rule)).toContain(rule);
  });

  test("a head may name whoever imports the file, and what is no name of a file", () => {
    const text =
      "/** A thing, as CONTRIBUTING.md wants it. Asked by the daemon; called by b.ts and e/c.ts.\n */\n";
    const callers = [
      { path: "src/engine/b.ts", text: '/** B. */ import "./a.ts";' },
      { path: "src/e/c.ts", text: '/** C. */ new Worker(new URL("../engine/a.ts", import.meta.url));' },
    ];
    expect(findings([{ path: "src/engine/a.ts", text }, ...callers])).toEqual([]);
    expect(findings([{ path: "src/engine/a.ts", text }, callers[0]!])).toMatchObject([{ found: "e/c.ts" }]);
  });

  test("import paths resolve to files that exist", () => {
    const sources = readSources();
    const known = new Set(sources.map((source) => source.path));
    const missing = sources.flatMap(({ path, text }) =>
      [...text.matchAll(/from "(\.[^"]+\.ts)"/g)]
        .map((match) => normalize(join(dirname(path), match[1] ?? "")))
        .filter((target) => target.startsWith("src/") && !known.has(target)),
    );
    expect(missing).toEqual([]);
  });
});
