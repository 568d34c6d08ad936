/** The bundler in its own process: real plugins in, one module out, and an end for whatever goes wrong. */
import { describe, expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { systemClock } from "../../../src/base/clock.ts";
import { fail, isVoxError } from "../../../src/base/errors.ts";
import { makeBundler } from "../../../src/host/bundle/bundle-plugin.ts";
import {
  makeStartConfined,
  type ConfinedSpec,
  type ProcessEnd,
  type StartConfined,
} from "../../../src/platform/confine/confined-process.ts";
import { openRoom, recordedDoor } from "../../js-room.ts";
import { fakeClock, until } from "../../harness.ts";

const start = makeStartConfined({ clock: systemClock });
const deps = { start, clock: systemClock, uid: () => undefined, confined: () => true };
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

describe("Node's modules", () => {
  const entry = (text: string) => filesOf({ "index.ts": text });

  test("that need no authority stay in the bundle, by one name each, and the outcome says which", async () => {
    const { code, builtins } = await bundle(
      filesOf({
        "index.ts": `import { createHash } from "crypto";
import * as util from "node:util";
import old from "old";
import { late } from "./late.ts";
export default { async on_alert() {
  return [createHash("sha256").update("a").digest("hex").slice(0, 8), util.inspect(old), await late()];
} };`,
        "late.ts": `export const late = async () => (await import("zlib")).crc32("a");`,
        "node_modules/old/index.js": `const Emitter = require("events");
const { join } = require("node:path");
module.exports = [new Emitter() instanceof Emitter, join("a", "..", "b"), require("buffer/").own];`,
        "node_modules/buffer/package.json": `{"main": "own.js"}`,
        "node_modules/buffer/own.js": `exports.own = "the package";`,
      }),
      "index.ts",
    );
    expect(builtins).toEqual(["node:crypto", "node:events", "node:path", "node:util", "node:zlib"]);
    const url = URL.createObjectURL(new Blob([code], { type: "text/javascript" }));
    const { default: plugin } = (await import(url)) as { default: { on_alert(): Promise<unknown> } };
    expect(await plugin.on_alert()).toEqual(["ca978112", "[ true, 'b', 'the package' ]", 3904355907]);
  });

  test("that are imported and not used need no room", async () => {
    const { builtins, code } = await bundle(
      entry(`import { join } from "node:path"; export default {};`),
      "index.ts",
    );
    expect(builtins).toEqual([]);
    expect(code).not.toContain("node:path");
  });

  test("are refused where the plugin is to stay in a Worker, and only there", async () => {
    const files = entry(`import a from "./a.json";\nimport { join } from "path";\nexport default { join };`);
    files.set("a.json", new TextEncoder().encode("1"));
    const found = await problem(bundle(files, "index.ts", undefined, "worker"));
    expect(found).toEqual({
      code: "plugin.import_refused",
      message: expect.stringMatching(
        /^index\.ts:2 imports "path": the Worker room has no Node modules/,
      ) as string,
    });
    expect((await bundle(files, "index.ts", undefined, "process")).builtins).toEqual(["node:path"]);
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
        "node_modules/a/index.js": "// a\nconst { readFile } = require('fs');\nmodule.exports = readFile;",
      },
      "plugin.import_refused",
      'node_modules/a/index.js:2 imports "fs": a plugin has no files of the host',
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
    const large = makeBundler({
      ...deps,
      start() {
        throw new Error("a process was started");
      },
    });
    const files = new Map([["index.js", new Uint8Array(17 * 1024 * 1024)]]);
    expect((await problem(large(files, "index.js"))).code).toBe("plugin.too_large");
  });

  test("files that are no source do not count and are not sent", async () => {
    const files = filesOf({ "index.js": "export default {};" });
    files.set("video.mp4", new Uint8Array(20 * 1024 * 1024));
    expect((await problem(bundle(files, "index.js"))).code).toBe("ok");
  });
});

describe("files of a stranger", () => {
  test("up to 16 MiB of them pass through the socket whole", async () => {
    const texts = Array.from({ length: 16 }, (_, i) => [
      `f${i}.txt`,
      String.fromCharCode(97 + i).repeat(1_000_000),
    ]);
    const imports = texts.map(([path], i) => `import x${i} from "./${path}";`).join("\n");
    const index = `${imports}\nexport default { all: [${texts.map((_, i) => `x${i}`).join()}] };`;
    const { code } = await bundle(filesOf({ "index.ts": index, ...Object.fromEntries(texts) }), "index.ts");
    for (const [, text = ""] of texts) expect(code.includes(text)).toBe(true);
  });

  test.each([
    [
      "that fold to terabytes",
      `enum E { a0 = "${"x".repeat(1000)}", ${Array.from({ length: 30 }, (_, i) => `a${i + 1} = a${i} + a${i}`).join()} }\nexport default [E.a30.length];`,
      "needed more than 1 GiB of memory",
    ],
    ["that nest too deep", `export default ${"[".repeat(100_000)}${"]".repeat(100_000)};`, "call stack"],
  ])("%s end the bundler, and the next is as good as new", async (_what, text, words) => {
    const found = await problem(bundle(filesOf({ "index.ts": text }), "index.ts"));
    expect(found.code).toBe("plugin.bundle_failed");
    expect(found.message).toContain(words);
    expect((await problem(bundle(filesOf({ "index.ts": "export default {};" }), "index.ts"))).code).toBe(
      "ok",
    );
  });
});

describe("the process of the bundler", () => {
  test("is asked for with its profile, its user and its bounds", async () => {
    const specs: ConfinedSpec[] = [];
    const watched: StartConfined = (spec) => {
      specs.push(spec);
      return start({ ...spec, uid: undefined });
    };
    await makeBundler({ ...deps, start: watched, uid: () => 1_900_000_000 })(
      filesOf({ "index.js": "export default {};" }),
      "index.js",
    );
    expect(specs).toEqual([
      {
        role: ["__bundle"],
        profile: "bundler",
        uid: 1_900_000_000,
        memoryBytes: 1024 * 1024 * 1024,
        cpuMs: 60_000,
        confined: true,
      },
    ]);
  });

  test("that can't be confined is not one: nothing is bundled", async () => {
    const refusing: StartConfined = () => {
      throw fail("confinement.unavailable", "no Landlock");
    };
    const files = filesOf({ "index.js": "export default {};" });
    expect((await problem(makeBundler({ ...deps, start: refusing })(files, "index.js"))).code).toBe(
      "confinement.unavailable",
    );
  });

  test("that ended before it was confined says at which step", async () => {
    const end: ProcessEnd = { kind: "unconfined", step: "landlock", reason: "EPERM" };
    const ending = makeBundler({ ...deps, start: scripted("", end) });
    expect(await problem(ending(filesOf({ "index.js": "export default {};" }), "index.js"))).toEqual({
      code: "confinement.unavailable",
      message: "the bundler's process could not be confined: landlock: EPERM",
    });
  });

  test("bundles without confinement where that is asked for", async () => {
    const files = filesOf({ "index.js": "export default {};" });
    expect((await problem(makeBundler({ ...deps, confined: () => false })(files, "index.js"))).code).toBe(
      "ok",
    );
  });
});

describe("a bundler that misbehaves, as after a bug in its parser", () => {
  const child = (script: string) => makeBundler({ ...deps, start: scripted(script) });
  const files = filesOf({ "index.js": "export default {};" });

  test.each([
    ["dies", "process.kill(process.pid, 'SIGSEGV')", "plugin.bundle_failed", "ended with SIGSEGV"],
    ["exits with an error", "process.exit(3)", "plugin.bundle_failed", "ended with exit status 3"],
    ["says nothing", "", "plugin.bundle_failed", "ended with exit status 0"],
    ["answers nonsense", "writeSync(3, 'hello')", "plugin.bundle_failed", "an answer that is none"],
    [
      "answers half a frame",
      "writeSync(3, Uint8Array.of(9, 0, 0, 0, 1))",
      "plugin.bundle_failed",
      "exit status",
    ],
    ["answers no parts", "frame(Buffer.from('hello'))", "plugin.bundle_failed", "an answer that is none"],
    ["leaves the code out", "answer({ ok: true, builtins: [] })", "plugin.bundle_failed", "without code"],
    [
      "answers with a code of ours that it may not use",
      `answer({ ok: false, problem: "capability.denied", message: "x" })`,
      "plugin.bundle_failed",
      "an answer that is none",
    ],
    [
      "says that a module with power is none",
      `answer({ ok: true, builtins: ["node:fs"] }, "export default {}", "{}")`,
      "plugin.bundle_failed",
      "an answer that is none",
    ],
    [
      "answers with more modules than there are",
      `answer({ ok: true, builtins: Array(10_000).fill("node:assert") }, "export default {}", "{}")`,
      "plugin.bundle_failed",
      "an answer that is none",
    ],
    [
      "answers with more parts than there are",
      `answer({ ok: true, builtins: [] }, "export default {}", "{}", "")`,
      "plugin.bundle_failed",
      "an answer that is none",
    ],
    [
      "answers without end",
      "const full = Buffer.alloc(1024 * 1024); for (;;) frame(full)",
      "plugin.too_large",
      "larger than 16 MiB",
    ],
  ])("%s", async (_what, script, code, words) => {
    const found = await problem(child(script)(files, "index.js"));
    expect(found.code).toBe(code);
    expect(found.message).toContain(words);
  });

  test.each([
    ["hangs", "setInterval(() => {}, 1000)"],
    ["closes its socket and hangs", "require('fs').closeSync(3); setInterval(() => {}, 1000)"],
  ])("one that %s is ended at the deadline", async (_what, script) => {
    const clock = fakeClock();
    const found = problem(makeBundler({ ...deps, clock, start: scripted(script) })(files, "index.js"));
    await clock.advance(60_000);
    expect((await found).message).toContain("took longer than 30 s");
  });

  test("a cancelled one is ended, with the signal's reason, and no process is left", async () => {
    const controller = new AbortController();
    let pid = 0;
    const watched: StartConfined = (spec) => {
      const process = scripted("setInterval(() => {}, 1000)")(spec);
      ({ pid } = process);
      return process;
    };
    const work = makeBundler({ ...deps, start: watched })(files, "index.js", controller.signal);
    controller.abort(new Error("enough"));
    expect(work).rejects.toThrow("enough");
    await work.catch(() => {});
    await until(() => !existsSync(`/proc/${pid}`), { what: "the end of the process" });
  });
});

// --- internal ---

/** Runs a script with descriptor 3 in the bundler's place. `end`: what is said of its end, whatever it was. */
function scripted(script: string, end?: ProcessEnd): StartConfined {
  const prelude = `const { writeSync } = require("fs");
const u32 = (n) => { const b = Buffer.alloc(4); b.writeUInt32LE(n); return b };
const whole = (b) => { for (let sent = 0; sent < b.length; ) sent += writeSync(3, b, sent) };
const frame = (b) => whole(Buffer.concat([u32(b.length), b]));
const answer = (head, ...texts) => frame(Buffer.concat([JSON.stringify(head), ...texts].flatMap((t) => [u32(Buffer.byteLength(t)), Buffer.from(t)])));
`;
  return () => {
    const child = Bun.spawn([process.execPath, "-e", prelude + script], {
      env: {},
      stdio: ["ignore", "ignore", "ignore", "pipe"],
    });
    return {
      pid: child.pid,
      descriptor: child.stdio[3] as unknown as number,
      ended: child.exited.then(
        (): ProcessEnd =>
          end ??
          (child.signalCode === null
            ? { kind: "status", status: child.exitCode ?? 0 }
            : { kind: "signal", signal: String(child.signalCode) }),
      ),
      kill: () => child.kill("SIGKILL"),
      cpuMs: () => undefined,
    };
  };
}
