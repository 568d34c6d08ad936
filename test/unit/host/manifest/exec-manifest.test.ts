/** plugin.yaml: what it may say, what it means, and the words for what is wrong with it. */
import { describe, expect, test } from "bun:test";
import type { VoxError } from "../../../../src/base/errors.ts";
import { readManifest } from "../../../../src/host/install/candidate.ts";
import { parseExecManifest } from "../../../../src/host/manifest/exec-manifest.ts";
import { mainFile } from "../../../../src/host/manifest/main-file.ts";
import { filesOf } from "../../../integration/host/world.ts";

const HEAD = 'name: my-hook\nversion: "1.0.0"\ntype: hook\nentrypoint: ./my-hook\n';

const parse = (text: string) => parseExecManifest(new TextEncoder().encode(text));

function problem(work: () => unknown): VoxError {
  try {
    work();
  } catch (error) {
    return error as VoxError;
  }
  throw new Error("nothing was wrong");
}

describe("plugin.yaml", () => {
  test("with what is required alone asks to run unsandboxed, for no event, thirty seconds at most", () => {
    expect(parse(HEAD)).toEqual({
      name: "my-hook",
      version: "1.0.0",
      description: "",
      tier: null,
      main: "my-hook",
      required: [{ capability: "unsandboxed", scope: null, reason: undefined }],
      optional: [],
      hooks: [],
      provider: undefined,
      isolation: undefined,
      timeoutMs: 30_000,
      config: {},
    });
  });

  test("as the devbox plugin API shows one, with comments, is read", () => {
    const manifest = parse(
      `${HEAD}description: Custom hook          # for people\nevents:                    # only for hooks\n  - pre_create\n  - post_destroy\n`,
    );
    expect(manifest.description).toBe("Custom hook");
    expect(manifest.hooks).toEqual([
      { hook: "pre_create", gate: true },
      { hook: "post_destroy", gate: false },
    ]);
  });

  test("may name any event; what reports is no gate, nor is the start of a deploy", () => {
    const { hooks, timeoutMs } = parse(
      `${HEAD}protocol: 1\ntimeout: 2m\nevents: [on_alert, on_deploy_start, on_deploy_start]\n`,
    );
    expect(hooks).toEqual([
      { hook: "on_deploy_start", gate: false },
      { hook: "on_alert", gate: false },
    ]);
    expect(timeoutMs).toBe(120_000);
  });

  const bad: readonly (readonly [what: string, text: string, words: string])[] = [
    ["a missing key", HEAD.replace(/entrypoint.*\n/, ""), "plugin.yaml: entrypoint: is missing"],
    ["a version that is a number", HEAD.replace('"1.0.0"', "1.0"), "plugin.yaml:2:1: version: found 1"],
    ["an unknown type", HEAD.replace("type: hook", "type: hok"), 'found "hok", wanted "hook" or "provider"'],
    [
      "an unknown key",
      `${HEAD}evnts: []\n`,
      'plugin.yaml:5:1: evnts: is not a known key; did you mean "events"?',
    ],
    ["an unknown event", `${HEAD}events:\n  - pre_creat\n`, 'plugin.yaml:6:5: events.0: found "pre_creat"'],
    ["what was meant", `${HEAD}events: [pre_creat]\n`, 'did you mean "pre_create"?'],
    [
      "a path that leads out",
      HEAD.replace("./my-hook", "../my-hook"),
      'found "../my-hook", wanted a file inside',
    ],
    ["an absolute path", HEAD.replace("./my-hook", "/bin/sh"), 'found "/bin/sh", wanted a file inside'],
    ["another protocol", `${HEAD}protocol: 2\n`, "protocol: found 2, wanted 1, the only one"],
    ["an endless timeout", `${HEAD}timeout: 1d\n`, "at most 10 minutes"],
    ["a bad name", HEAD.replace("my-hook\n", "My Hook\n"), "wanted lower-case letters, digits and dashes"],
    ["a capability", `${HEAD}capabilities: [fs_read]\n`, "capabilities: is not a known key"],
  ];
  test.each(bad)("with %s is refused, and the words say where", (_what, text, words) => {
    const error = problem(() => parse(text));
    expect(error.code).toBe("manifest.invalid");
    expect(error.message).toContain(words);
  });

  const PROVIDER = HEAD.replace("type: hook", "type: provider");

  test("of a provider has ten minutes to create, thirty seconds for all else, and no other actions", () => {
    const { provider, hooks } = parse(PROVIDER);
    const rest = { start: 30_000, stop: 30_000, destroy: 30_000, status: 30_000 };
    expect([hooks, provider]).toEqual([
      [],
      { actions: [], timeoutMs: { create: 600_000, ...rest, logs: 30_000, stats: 30_000, exec: 30_000 } },
    ]);
  });

  test("of a provider may offer more actions, and give each its time", () => {
    const { provider } = parse(
      `${PROVIDER}actions: [exec, logs]\ntimeout: 5\ntimeouts:\n  create: 30m\n  exec: 2m\n`,
    );
    expect(provider?.actions).toEqual(["logs", "exec"]);
    expect(provider?.timeoutMs).toMatchObject({ create: 1_800_000, start: 5_000, exec: 120_000 });
  });

  const badProviders: readonly (readonly [what: string, text: string, words: string])[] = [
    ["an unknown action", `${PROVIDER}actions: [pause]\n`, 'found "pause", wanted one of logs, stats, exec'],
    ["a time for no action", `${PROVIDER}timeouts: { pause: 1 }\n`, "pause: is not a known key"],
    ["an endless action", `${PROVIDER}timeouts: { create: 2h }\n`, "at most 60 minutes"],
    ["events", `${PROVIDER}events: [on_alert]\n`, "a plugin of type: provider has no events"],
    ["a built-in's name", PROVIDER.replace("my-hook", "docker"), 'name: found "docker", wanted another name'],
    ["a hook's actions", `${HEAD}actions: [logs]\n`, "a plugin of type: hook has no actions"],
  ];
  test.each(badProviders)("of a provider with %s is refused", (_what, text, words) => {
    const error = problem(() => parse(text));
    expect(error.code).toBe("manifest.invalid");
    expect(error.message).toContain(words);
  });

  test("beside a plugin.toml is one too many", () => {
    const files = filesOf({ "plugin.yaml": HEAD, "plugin.toml": "", "my-hook": "" });
    const error = problem(() => readManifest(files));
    expect(error.code).toBe("manifest.invalid");
    expect(error.hint).toStartWith("remove one: plugin.yaml");
  });
});

describe("the entrypoint", () => {
  const entrypoint = (files: Readonly<Record<string, boolean>>) =>
    mainFile(
      parse(HEAD),
      new Map(
        Object.entries(files).map(([path, executable]) => [path, { bytes: new Uint8Array(), executable }]),
      ),
    );

  test("is a file of the folder that may be executed", () => {
    expect(entrypoint({ "my-hook": true })).toBe("my-hook");
    expect(problem(() => entrypoint({ "my-hook": false })).message).toContain('"my-hook" is not executable');
    expect(problem(() => entrypoint({ "my-hook": false })).hint).toBe("make it so: chmod +x my-hook");
    expect(problem(() => entrypoint({ other: true })).message).toContain("the folder has no such file");
  });
});
