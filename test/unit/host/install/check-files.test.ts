/** What `plugin check` says of a folder, without running it. */
import { expect, test } from "bun:test";
import { fail } from "../../../../src/base/errors.ts";
import type { BundlePlugin } from "../../../../src/host/bundle/bundle-plugin.ts";
import type { OpenRoom } from "../../../../src/host/runtimes/runtime.ts";
import { checkFiles } from "../../../../src/host/install/check-files.ts";

const toml = '[plugin]\nname = "sample"\nversion = "1.0.0"\ntier = 2\n[hooks]\non_alert = true\n';

const wasmToml = `${toml.replace("tier = 2", "tier = 1")}[capabilities]\noptional = ["notify_send"]\n`;

const bundles: BundlePlugin = () => Promise.resolve({ code: "", sourceMap: "", builtins: [] });

const opened: { stopped: boolean; linked: readonly string[] }[] = [];

/** A module that is the names of its exports. */
const openModule: OpenRoom = async ({ code }, door) => {
  const text = code.kind === "wasm" ? new TextDecoder().decode(code.bytes) : "";
  if (text === "throws") throw fail("plugin.load_failed", "it is no module");
  if (text === "unconfined") throw fail("confinement.unavailable", "no Landlock");
  const linked = door.methods.filter((method) => method.linked).map((method) => method.name);
  const room = { stopped: false, linked };
  opened.push(room);
  return {
    handlers: text.split(","),
    alive: true,
    call: () => Promise.reject(new Error("a check calls nothing")),
    async stop() {
      room.stopped = true;
    },
  };
};

function check(texts: Readonly<Record<string, string>>, bundle = bundles) {
  const encoder = new TextEncoder();
  return checkFiles(
    new Map(
      Object.entries(texts).map(([path, text]) => [path, { bytes: encoder.encode(text), executable: false }]),
    ),
    { bundle, openModule },
  );
}

test("a good plugin has no problems, and shows what it would ask for", async () => {
  const report = await check({ "plugin.toml": toml, "index.ts": "export default { on_alert() {} };" });
  expect(report).toMatchObject({
    ok: true,
    problems: [],
    candidate: { name: "sample", hooks: [{ hook: "on_alert" }] },
  });
});

const yaml = 'name: sample\nversion: "1.0.0"\ntype: hook\nentrypoint: ./run\nevents: [on_alert]\n';

const errors: readonly (readonly [what: string, texts: Record<string, string>, code: string])[] = [
  ["no manifest", { "index.ts": "" }, "manifest.missing"],
  ["a bad manifest", { "plugin.toml": `${toml}on_alrt = true`, "index.ts": "" }, "manifest.invalid"],
  ["no main file", { "plugin.toml": toml }, "plugin.invalid"],
  [
    "a module without an export for its hook",
    { "plugin.toml": wasmToml, "plugin.wasm": "" },
    "plugin.no_hook",
  ],
  ["a module that does not load", { "plugin.toml": wasmToml, "plugin.wasm": "throws" }, "plugin.load_failed"],
  [
    "a module in a Worker",
    { "plugin.toml": `${wasmToml}[runtime]\nisolation = "worker"`, "plugin.wasm": "on_alert" },
    "plugin.unsupported",
  ],
  ["an executable without a version", { "plugin.yaml": yaml.replace(/version.*\n/, "") }, "manifest.invalid"],
  ["a provider of events", { "plugin.yaml": yaml.replace("hook", "provider"), run: "" }, "manifest.invalid"],
  ["an executable without its program", { "plugin.yaml": yaml }, "plugin.invalid"],
  ["a program that may not be executed", { "plugin.yaml": yaml, run: "" }, "plugin.invalid"],
  ["two manifests", { "plugin.yaml": yaml, "plugin.toml": toml }, "manifest.invalid"],
];
for (const [what, texts, code] of errors)
  test(`${what} is an error`, async () => {
    const report = await check(texts);
    expect(report.ok).toBe(false);
    expect(report.problems).toMatchObject([{ level: "error", code }]);
  });

test("an author is told of all that is wrong with a manifest, with its place", async () => {
  const bad = toml.replace("1.0.0", "one").replace("on_alert", "on_alrt");
  const { problems } = await check({ "plugin.toml": `${bad}colour = "red"\n`, "index.ts": "" });
  expect(problems.map(({ message, file, line, column }) => [file, line, column, message])).toEqual([
    [
      "plugin.toml",
      3,
      1,
      'plugin.toml:3:1: plugin.version: found "one", wanted a semantic version, such as "1.0.0"',
    ],
    ["plugin.toml", 6, 1, 'plugin.toml:6:1: hooks.on_alrt: is not a known key; did you mean "on_alert"?'],
    [
      "plugin.toml",
      7,
      1,
      expect.stringContaining("plugin.toml:7:1: hooks.colour: is not a known key; known here: "),
    ],
  ]);
  const yamlText = yaml.replace("hook", "hok").replace("on_alert", "on_alrt");
  const executable = await check({ "plugin.yaml": yamlText, run: "" });
  expect(executable.problems.map(({ line, column }) => [line, column])).toEqual([
    [3, 1],
    [5, 10],
  ]);
});

test("no more than thirty problems are told", async () => {
  const many = Array.from({ length: 200 }, (_, at) => `key${at} = 1`).join("\n");
  const { problems } = await check({ "plugin.toml": `${toml}${many}\n`, "index.ts": "" });
  expect(problems.length).toBe(30);
});

test("a handler that the manifest does not name is a warning", async () => {
  const code = "export default { on_alert() {}, async on_deploy_fail(event) {}, pre_create: () => {} };";
  const report = await check({ "plugin.toml": toml, "index.ts": code });
  expect(report.ok).toBe(true);
  expect(report.problems.map((problem) => problem.message)).toEqual([
    "index.ts seems to have on_deploy_fail, and [hooks] in plugin.toml does not name it",
    "index.ts seems to have pre_create, and [hooks] in plugin.toml does not name it",
  ]);
});

test("a plugin that is never called is a warning", async () => {
  const report = await check({ "plugin.toml": toml.replace("on_alert = true", ""), "index.ts": "" });
  expect(report.problems[0]?.message).toContain("never called");
});

test("code that can't be bundled is an error", async () => {
  const texts = { "plugin.toml": toml, "index.ts": "export default {" };
  const refuses: BundlePlugin = () => Promise.reject(fail("plugin.bundle_failed", "index.ts:1:16: no"));
  const report = await check(texts, refuses);
  expect(report).toMatchObject({ ok: false, problems: [{ code: "plugin.bundle_failed" }] });
});

test("a module is loaded with what it may ask for, and stopped again", async () => {
  const report = await check({ "plugin.toml": wasmToml, "plugin.wasm": "on_alert" });
  expect(report).toMatchObject({ ok: true, problems: [], candidate: { kind: "wasm", tier: 1 } });
  expect(opened.at(-1)?.stopped).toBe(true);
  expect(opened.at(-1)?.linked).toContain("notify.send");
  expect(opened.at(-1)?.linked).toContain("kv.get");
});

test("where this machine can't confine, a module is not looked at, and that is no error", async () => {
  const report = await check({ "plugin.toml": wasmToml, "plugin.wasm": "unconfined" });
  expect(report).toMatchObject({
    ok: true,
    problems: [
      {
        level: "warning",
        code: "confinement.unavailable",
        message: "its code was not looked at: no Landlock",
      },
    ],
  });
});
