/** plugin.toml, as authors write it and as they get it wrong. */
import { describe, expect, test } from "bun:test";
import { mainFile } from "../../../../src/host/manifest/main-file.ts";
import { parseManifest } from "../../../../src/host/manifest/parse-manifest.ts";

const head = '[plugin]\nname = "sample"\nversion = "1.0.0"\ntier = 2\n';

const parse = (text: string) => parseManifest(new TextEncoder().encode(text));

function problem(text: string): { code: string; message: string; details: Record<string, unknown> } {
  try {
    parse(text);
  } catch (error) {
    return error as { code: string; message: string; details: Record<string, unknown> };
  }
  throw new Error("nothing was refused");
}

describe("a good manifest", () => {
  test("with everything in it", () => {
    const manifest = parse(`# plugin.toml
[plugin]
name = "deploy-notifier"
version = "1.0.0"
description = "Posts a Slack message on every deploy"
tier = 2  # JS plugin
main = "./src/main.ts"

[capabilities]
required = ["notify_send", "network_outbound"]
optional = ["logs_read"]

[capabilities.scope]
network_outbound = ["hooks.slack.com:443", "*.example.com"]
logs_read = []

[capabilities.reason]
notify_send = "tells the team"

[hooks]
on_deploy_success = true
on_deploy_fail = false
on_deploy_start = { gate = true }
pre_create = true

[runtime]
isolation = "worker"
timeout = "1.5s"

[config]
channel = "ops"
retries = 3
loud = false
tags = ["a", "b"]
`);
    expect(manifest).toEqual({
      name: "deploy-notifier",
      version: "1.0.0",
      description: "Posts a Slack message on every deploy",
      tier: 2,
      main: "src/main.ts",
      required: [
        { capability: "notify_send", scope: null, reason: "tells the team" },
        {
          capability: "network_outbound",
          scope: ["hooks.slack.com:443", "*.example.com"],
          reason: undefined,
        },
      ],
      optional: [{ capability: "logs_read", scope: [], reason: undefined }],
      hooks: [
        { hook: "on_deploy_start", gate: true },
        { hook: "on_deploy_success", gate: false },
        { hook: "pre_create", gate: true },
      ],
      provider: undefined,
      isolation: "worker",
      timeoutMs: 1500,
      config: { channel: "ops", retries: 3, loud: false, tags: ["a", "b"] },
    });
  });

  test("with nothing but its head", () => {
    const manifest = parse(head);
    expect(manifest).toMatchObject({ required: [], optional: [], hooks: [], timeoutMs: 10_000, config: {} });
    expect(manifest.main).toBeUndefined();
  });

  test("of tier 1 is understood", () => {
    expect(parse(head.replace("tier = 2", "tier = 1")).tier).toBe(1);
  });

  const gates: readonly (readonly [line: string, gate: boolean])[] = [
    ["on_deploy_start = true", false],
    ["on_deploy_start = { gate = false }", false],
    ["on_deploy_start = { gate = true }", true],
    ["on_alert = true", false],
    ["on_alert = { gate = false }", false],
    ["pre_stop = true", true],
    ["pre_stop = { gate = true }", true],
  ];
  for (const [line, gate] of gates)
    test(`reads ${line}`, () => expect(parse(`${head}[hooks]\n${line}`).hooks[0]?.gate).toBe(gate));

  for (const [written, ms] of [
    ["30", 30_000],
    ["0.5", 500],
    ['"250ms"', 250],
    ['"10m"', 600_000],
  ] as const)
    test(`reads a timeout of ${written}`, () =>
      expect(parse(`${head}[runtime]\ntimeout = ${written}`).timeoutMs).toBe(ms));

  for (const version of ["0.0.1", "1.0.0-rc.1", "1.0.0+build.5"])
    test(`may have version ${version}`, () =>
      expect(parse(head.replace("1.0.0", version)).version).toBe(version));
});

describe("a bad manifest is refused with line, key, what was found and what is wanted", () => {
  const name = (text: string): string => head.replace('"sample"', text);
  const cases: readonly (readonly [what: string, text: string, line: number | undefined, says: string])[] = [
    ["no [plugin]", "", undefined, "plugin: is missing"],
    ["no name", head.replace('name = "sample"\n', ""), 1, "plugin.name: is missing"],
    ["a name that is a path", name('"../x"'), 2, 'plugin.name: found "../x", wanted lower-case letters'],
    ["a name with capitals", name('"Sample"'), 2, 'found "Sample", wanted lower-case'],
    ["a name with escapes", name('"\\u001b[31mred"'), 2, 'found "[31mred", wanted lower-case'],
    ["a name that begins with a dash", name('"-x"'), 2, "wanted lower-case"],
    ["a name that ends a line", name('"x\\n"'), 2, "wanted lower-case"],
    ["an empty name", name('""'), 2, "wanted lower-case"],
    ["a name that is too long", name(`"${"a".repeat(64)}"`), 2, "at most 63"],
    ["a name that is a number", name("7"), 2, "plugin.name: found 7"],
    [
      "a version that is none",
      head.replace("1.0.0", "1.0"),
      3,
      'plugin.version: found "1.0", wanted a semantic version',
    ],
    ["a version with a v", head.replace("1.0.0", "v1.0.0"), 3, "wanted a semantic version"],
    ["a version that is a path", head.replace("1.0.0", "1.0.0/../.."), 3, "wanted a semantic version"],
    [
      "a version without quotes",
      head.replace('"1.0.0"', "1.0"),
      3,
      "found 1, wanted a semantic version in quotes",
    ],
    ["no tier", head.replace("tier = 2\n", ""), 1, "plugin.tier: is missing"],
    ["another tier", head.replace("tier = 2", "tier = 3"), 4, "found 3, wanted 1 (WASM) or 2"],
    [
      "an unknown key",
      `${head}descripton = "x"`,
      5,
      'plugin.descripton: is not a known key; did you mean "description"?',
    ],
    [
      "an unknown table",
      `${head}[capability]\nrequired = []`,
      5,
      'capability: is not a known key; did you mean "capabilities"?',
    ],
    ["a key of every object", `${head}constructor = 1`, 5, "plugin.constructor: is not a known key"],
    ["main above the folder", `${head}main = "../x.ts"`, 5, "wanted a file inside the plugin's folder"],
    ["main elsewhere", `${head}main = "/etc/x.ts"`, 5, "wanted a file inside the plugin's folder"],
    ["main that is the folder", `${head}main = "."`, 5, "wanted a file inside the plugin's folder"],
    [
      "an unknown capability",
      `${head}[capabilities]\nrequired = ["notify_sent"]`,
      6,
      'did you mean "notify_send"?',
    ],
    [
      "a capability that is no text",
      `${head}[capabilities]\nrequired = [1]`,
      6,
      "found 1, wanted one of fs_read",
    ],
    [
      "capabilities that are no list",
      `${head}[capabilities]\nrequired = "fs_read"`,
      6,
      'found "fs_read", wanted a list',
    ],
    [
      "a capability twice",
      `${head}[capabilities]\nrequired = ["fs_read", "fs_read"]`,
      6,
      "each capability once",
    ],
    [
      "a capability required and optional",
      `${head}[capabilities]\nrequired = ["fs_read"]\noptional = ["fs_read"]`,
      7,
      "each capability once",
    ],
    [
      "a scope of something that is not asked for",
      `${head}[capabilities]\nrequired = ["fs_read"]\n[capabilities.scope]\nfs_write = ["files/a"]`,
      7,
      "only capabilities that are required or optional",
    ],
    [
      "a scope of an unknown capability",
      `${head}[capabilities]\nrequired = ["fs_read"]\n[capabilities.scope]\nfs_raed = ["a"]`,
      8,
      'did you mean "fs_read"?',
    ],
    [
      "a scope that hides what it says",
      `${head}[capabilities]\nrequired = ["fs_read"]\n[capabilities.scope]\nfs_read = ["files/a\\u202eb"]`,
      8,
      "wanted a file or folder",
    ],
    [
      "a scope that is no host",
      `${head}[capabilities]\nrequired = ["network_outbound"]\n[capabilities.scope]\nnetwork_outbound = ["http://a/"]`,
      8,
      "wanted a host such as",
    ],
    [
      "a reason of something that is not asked for",
      `${head}[capabilities]\n[capabilities.reason]\nfs_read = "x"`,
      6,
      "only capabilities that are required or optional",
    ],
    ["an unknown hook", `${head}[hooks]\non_deploy_sucess = true`, 6, 'did you mean "on_deploy_success"?'],
    ["a hook that is text", `${head}[hooks]\non_alert = "yes"`, 6, 'found "yes", wanted true or false'],
    [
      "a gate that observes",
      `${head}[hooks]\non_alert = { gate = true }`,
      6,
      "found true, wanted false: on_alert reports",
    ],
    [
      "a gate that must be one",
      `${head}[hooks]\npre_stop = { gate = false }`,
      6,
      "wanted true: pre_stop always is a gate",
    ],
    ["a hook with other fields", `${head}[hooks]\non_deploy_start = { gates = true }`, 6, "on_deploy_start"],
    ["an unknown isolation", `${head}[runtime]\nisolation = "none"`, 6, 'wanted "worker" or "process"'],
    ["a timeout of nothing", `${head}[runtime]\ntimeout = 0`, 6, "more than nothing and at most 10 minutes"],
    ["a timeout of hours", `${head}[runtime]\ntimeout = "2h"`, 6, "at most 10 minutes"],
    ["a timeout without unit", `${head}[runtime]\ntimeout = "30"`, 6, 'found "30", wanted seconds'],
    ["a config key that is a trap", `${head}[config]\n__proto__ = 1`, 6, "config.__proto__"],
    ["a config key with spaces", `${head}[config]\n"a b" = 1`, 6, "letters, digits, _ and -"],
    ["a config value that is a table", `${head}[config.a]\nb = 1`, 5, "found a table, wanted a text"],
    ["a config value that is no number", `${head}[config]\na = nan`, 6, "wanted a text, a finite number"],
    ["a config value that is a date", `${head}[config]\na = 1979-05-27`, 6, "found a date"],
    ["a list of numbers in config", `${head}[config]\na = [1]`, 6, "config.a"],
    ["broken TOML", `${head}x =`, 5, "plugin.toml:5:"],
    ["a key twice", `${head}tier = 2`, 5, "plugin.toml:5:"],
  ];
  for (const [what, text, line, says] of cases)
    test(what, () => {
      const error = problem(text);
      expect(error.code).toBe("manifest.invalid");
      expect(error.message).toContain(says);
      expect(error.message.startsWith(line === undefined ? "plugin.toml:" : `plugin.toml:${line}:`)).toBe(
        true,
      );
      expect(error.details["file"]).toBe("plugin.toml");
      expect(error.message).not.toMatch(/\p{Cc}/u);
    });

  test("more than 64 KiB, unread", () => {
    const error = problem("#".repeat(10_000_000));
    expect(error.message).toBe("plugin.toml has 9.5 MiB, at most 64 KiB are read");
  });

  // What is slow here takes many seconds: patterns that go over a long line from each of its characters on.
  const long = 60_000;
  const hostile: readonly (readonly [what: string, text: string])[] = [
    [
      "a line of spaces that looks like a table",
      `${head}[config]\nb = """\n[a${" ".repeat(long)}b\n"""\nc = {}`,
    ],
    ["a table of spaces", `${head}[config]\nb = """\n[a${" ".repeat(long)}b]\n"""\nc = {}`],
    ["thousands of wrong capabilities", `${head}[capabilities]\nrequired = [${'"x",'.repeat(long / 4)}]`],
  ];
  for (const [what, text] of hostile)
    test(`and that at once: ${what}`, () => {
      const before = performance.now();
      expect(problem(text).message).toMatch(/config\.c|capabilities\.required\.0/);
      expect(performance.now() - before).toBeLessThan(1_000);
    });

  test("what is not UTF-8", () => {
    expect(() => parseManifest(new Uint8Array([0x61, 0xff]))).toThrow("not UTF-8");
  });
});

describe("the main file", () => {
  const find = (text: string, ...files: readonly string[]) =>
    mainFile(
      parse(text),
      new Map(files.map((path) => [path, { bytes: new Uint8Array(), executable: false }])),
    );
  const tier1 = head.replace("tier = 2", "tier = 1");

  test("is index.ts, then index.js, or plugin.wasm", () => {
    expect(find(head, "index.ts", "index.js")).toBe("index.ts");
    expect(find(head, "index.js")).toBe("index.js");
    expect(find(tier1, "plugin.wasm", "index.ts")).toBe("plugin.wasm");
  });

  test("is what the manifest names", () => {
    expect(find(`${head}main = "./src/a.mjs"`, "index.ts", "src/a.mjs")).toBe("src/a.mjs");
  });

  test("must be there, and of the right kind", () => {
    expect(() => find(head, "main.ts")).toThrow("the plugin has no index.ts and no index.js to run");
    expect(() => find(`${head}main = "a.ts"`, "index.ts")).toThrow('names "a.ts" as main');
    expect(() => find(`${head}main = "a.wasm"`, "a.wasm")).toThrow("a tier 2 plugin runs .ts");
    expect(() => find(tier1, "index.ts")).toThrow("the plugin has no plugin.wasm to run");
  });

  for (const [what, text, file, hint] of [
    ["index.ts", tier1, "index.ts", "to run index.ts: tier = 2 under [plugin]"],
    ["index.js", tier1, "index.js", "to run index.js: tier = 2 under [plugin]"],
    ["a named script", `${tier1}main = "a.ts"`, "a.ts", 'to run "a.ts": tier = 2 under [plugin]'],
    ["plugin.wasm", head, "plugin.wasm", "to run plugin.wasm: tier = 1 under [plugin]"],
    ["a named module", `${head}main = "a.wasm"`, "a.wasm", 'to run "a.wasm": tier = 1 under [plugin]'],
    ["what none of them runs", head, "a.py", "add one, or name the file with main"],
  ] as const)
    test(`the hint for ${what} says which tier runs it`, () => {
      expect(() => find(text, file)).toThrow(
        expect.objectContaining({ hint: expect.stringContaining(hint) }),
      );
    });
});
