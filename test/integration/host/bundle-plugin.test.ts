/** The bundler in its own process: real plugins in, one module out, and an end for whatever goes wrong. */
import { describe, expect, test } from "bun:test";
import { systemClock } from "../../../src/base/clock.ts";
import { isVoxError } from "../../../src/base/errors.ts";
import { makeBundler } from "../../../src/host/bundle/bundle-plugin.ts";
import { selfCommand } from "../../../src/platform/self.ts";
import { openRoom, recordedDoor } from "../../js-room.ts";
import { fakeClock } from "../../harness.ts";

const deps = { command: selfCommand("__bundle"), cwd: "/", clock: systemClock };
const bundle = makeBundler(deps);
const filesOf = (texts: Readonly<Record<string, string>>) =>
  new Map(Object.entries(texts).map(([path, text]) => [path, new TextEncoder().encode(text)]));

async function problem(work: Promise<unknown>): Promise<{ code: string; message: string }> {
  try {
    await work;
    return { code: "ok", message: "" };
  } catch (error) {
    if (!isVoxError(error)) throw error;
    return { code: error.code, message: error.message };
  }
}

describe("a plugin that can be bundled", () => {
  test("TypeScript, folders, JSON, packages and the SDK become one module that runs", async () => {
    const { code, sourceMap } = await bundle(
      filesOf({
        "index.ts": `import { HOOK_NAMES, definePlugin, type DeployEvent } from "@voxeltron/sdk";
import { double } from "./lib";
import data from "./data.json";
import old from "old-style";
export default definePlugin({
  async on_deploy_success(event: DeployEvent) {
    const { late } = await import("./late");
    return [double(data.n), old.name, late, HOOK_NAMES.length > 5, event.service satisfies string];
  },
});`,
        "lib/index.ts": "export const double = (n: number): number => n * 2;",
        "late.ts": "export const late = await Promise.resolve('late');",
        "data.json": '{"n": 21}',
        "node_modules/old-style/package.json": '{"main": "main"}',
        "node_modules/old-style/main.js": "exports.name = require('./name');",
        "node_modules/old-style/name.js": "module.exports = process.env.NODE_ENV;",
      }),
      "index.ts",
    );
    expect(sourceMap).not.toContain("satisfies");
    await using opened = await openRoom(code, recordedDoor(), { sourceMap });
    expect(await opened.room.call("on_deploy_success", { service: "web" }, { deadlineMs: 5000 })).toEqual([
      42,
      "production",
      "late",
      true,
      "web",
    ]);
  });

  test("its errors name the author's file and line", async () => {
    const { code, sourceMap } = await bundle(
      filesOf({
        "index.ts": `import { boom } from "./lib/boom.ts";\nexport default { on_alert() { boom() } };`,
        "lib/boom.ts": `interface Unused { a: string }\n\nexport function boom(): never {\n  throw new Error("x");\n}`,
      }),
      "index.ts",
    );
    await using opened = await openRoom(code, recordedDoor(), { sourceMap });
    const failed = (await opened.room
      .call("on_alert", {}, { deadlineMs: 5000 })
      .catch((error: unknown) => error)) as {
      details: { stack: string[] };
    };
    expect(failed.details.stack[0]).toMatch(/^boom \(lib\/boom\.ts:4:\d+\)$/);
    expect(failed.details.stack[1]).toMatch(/^on_alert \(index\.ts:2:\d+\)$/);
  });
});

describe("a plugin that can't", () => {
  test.each([
    [
      "a syntax error",
      { "index.ts": "const a = 1;\nconst b = ;\nexport default {};" },
      "plugin.bundle_failed",
      "index.ts:2:11: Unexpected ; in `const b = ;`",
    ],
    [
      "no default export",
      { "index.ts": "export const a = 1;" },
      "plugin.bundle_failed",
      "index.ts has no default export",
    ],
    [
      "a missing file",
      { "index.ts": "\n\nimport { a } from './nope';\nexport default a;" },
      "plugin.import_refused",
      'index.ts:3 imports "./nope": the plugin has no such source file',
    ],
    [
      "a Node module, deep in a package",
      {
        "index.ts": "import a from 'a';\nexport default a;",
        "node_modules/a/index.js": "// a\nconst { join } = require('path');\nmodule.exports = join;",
      },
      "plugin.import_refused",
      'node_modules/a/index.js:2 imports "path": the Worker room has no Node or Bun modules',
    ],
    [
      "several refusals",
      { "index.ts": "import a from 'node:a';\nimport b from 'bee';\nexport default [a, b];" },
      "plugin.import_refused",
      "node:a",
    ],
    ["a missing entry", { "other.ts": "" }, "plugin.bundle_failed", 'no source file "index.ts"'],
  ] as const)("%s", async (_what, texts, code, words) => {
    const found = await problem(bundle(filesOf(texts), "index.ts"));
    expect(found.code).toBe(code);
    expect(found.message).toContain(words);
  });

  test("too many bytes are refused before a process is started", async () => {
    const large = makeBundler({ ...deps, command: ["/nonexistent"] });
    const files = new Map([["index.js", new Uint8Array(17 * 1024 * 1024)]]);
    expect((await problem(large(files, "index.js"))).code).toBe("plugin.too_large");
  });

  test("files that are no source do not count and are not sent", async () => {
    const files = filesOf({ "index.js": "export default {};" });
    files.set("video.mp4", new Uint8Array(20 * 1024 * 1024));
    expect((await problem(bundle(files, "index.js"))).code).toBe("ok");
  });
});

describe("a bundler that misbehaves, as after a bug in its parser", () => {
  const child = (script: string) => makeBundler({ ...deps, command: [process.execPath, "-e", script] });
  const files = filesOf({ "index.js": "export default {};" });

  test.each([
    ["dies", "process.kill(process.pid, 'SIGSEGV')", "plugin.bundle_failed"],
    ["exits with an error", "process.exit(3)", "plugin.bundle_failed"],
    ["says nothing", "", "plugin.bundle_failed"],
    ["answers nonsense", "process.stdout.write('hello')", "plugin.bundle_failed"],
    [
      "answers with a code of ours that it may not use",
      `const h = JSON.stringify({ ok: false, problem: "capability.denied", message: "x" }); const b = Buffer.alloc(4); b.writeUInt32LE(h.length); process.stdout.write(Buffer.concat([b, Buffer.from(h)]))`,
      "plugin.bundle_failed",
    ],
    [
      "answers without end",
      "const b = Buffer.alloc(1e6); for (;;) require('fs').writeSync(1, b)",
      "plugin.too_large",
    ],
  ])("%s", async (_what, script, code) => {
    expect((await problem(child(script)(files, "index.js"))).code).toBe(code);
  });

  test("one that hangs is ended at the deadline", async () => {
    const clock = fakeClock();
    const hanging = makeBundler({
      ...deps,
      clock,
      command: [process.execPath, "-e", "setInterval(() => {}, 1000)"],
    });
    const found = problem(hanging(files, "index.js"));
    await clock.advance(60_000);
    expect((await found).message).toContain("took longer than 30 s");
  });

  test("a cancelled one is ended, with the signal's reason", async () => {
    const controller = new AbortController();
    const work = child("setInterval(() => {}, 1000)")(files, "index.js", controller.signal);
    controller.abort(new Error("enough"));
    expect(work).rejects.toThrow("enough");
    await work.catch(() => {});
  });

  test("it gets no environment", async () => {
    process.env["VOXELTRON_TEST_SECRET"] = "secret";
    try {
      const script = `const t = JSON.stringify({ ok: false, problem: "plugin.bundle_failed", message: Object.keys(process.env).join() || "none" }); const b = Buffer.alloc(4); b.writeUInt32LE(t.length); process.stdout.write(Buffer.concat([b, Buffer.from(t)]))`;
      expect((await problem(child(script)(files, "index.js"))).message).toBe("none");
    } finally {
      delete process.env["VOXELTRON_TEST_SECRET"];
    }
  });
});
