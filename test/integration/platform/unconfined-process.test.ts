/** The bundler's process on systems that can confine nothing: the same frames, ends and errors, and never where confinement is asked for. */
import { expect, test } from "bun:test";
import { systemClock } from "../../../src/base/clock.ts";
import { makeBundler } from "../../../src/host/bundle/bundle-plugin.ts";
import { makeStartUnconfined } from "../../../src/platform/unconfined-process.ts";

const files = new Map([["index.js", new TextEncoder().encode("export default {};")]]);

function bundlerThatRuns(script: string, confined = false) {
  const command = (...role: readonly string[]) => [process.execPath, "-e", script, ...role];
  return makeBundler({
    start: makeStartUnconfined(command),
    clock: systemClock,
    uid: () => undefined,
    confined: () => confined,
  });
}

const ANSWER = `const { readSync, writeSync } = require("fs");
const u32 = (n) => { const b = Buffer.alloc(4); b.writeUInt32LE(n); return b };
readSync(3, Buffer.alloc(1000));
const head = JSON.stringify({ ok: true, builtins: [] });
const code = JSON.stringify([process.argv.at(-1), Object.keys(process.env), process.cwd()]);
const parts = Buffer.concat([head, code, "{}"].flatMap((text) => [u32(text.length), Buffer.from(text)]));
writeSync(3, Buffer.concat([u32(parts.length), parts]));`;

test("it gets its role, no environment and the root folder, and its answer is taken", async () => {
  const { code } = await bundlerThatRuns(ANSWER)(files, "index.js");
  expect(JSON.parse(code)).toEqual(["__bundle", [], "/"]);
});

test.each([
  ["process.exit(3)", "ended with exit status 3"],
  ["process.kill(process.pid, 'SIGSEGV')", "ended with SIGSEGV"],
])("%s", async (script, words) => {
  expect(bundlerThatRuns(script)(files, "index.js")).rejects.toThrow(words);
});

test("it is not started where it is to be confined", async () => {
  expect(bundlerThatRuns(ANSWER, true)(files, "index.js")).rejects.toMatchObject({
    code: "confinement.unavailable",
  });
});
