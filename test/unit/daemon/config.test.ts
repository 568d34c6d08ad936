import { describe, expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { ceilingsFor } from "../../../src/daemon/config-ceiling.ts";
import { unknownVariables } from "../../../src/daemon/config-environment.ts";
import { waitForStart } from "../../../src/daemon/next-start.ts";
import { loadConfig, type Config } from "../../../src/daemon/config.ts";
import { rejection } from "../../fixtures/rejection.ts";
import { tempDir } from "../../harness.ts";

const HOME = { HOME: "/home/someone" };

async function load(
  toml: string,
  environment: Record<string, string> = HOME,
  flags: object = {},
): Promise<Config> {
  await using dir = tempDir();
  const config = join(dir.path, "config.toml");
  writeFileSync(config, toml);
  return loadConfig({ config, ...flags }, environment, 1000);
}

describe("the configuration", () => {
  test("has a default for everything", () => {
    const config = loadConfig({}, HOME, 1000);
    expect(config).toMatchObject({
      file: undefined,
      data_dir: "/home/someone/.local/share/voxeltron",
      log_level: "info",
      providers: { default: "docker" },
      docker: { socket: { socketPath: "/var/run/docker.sock" } },
      plugins: {
        idle_timeout: 300_000,
        uid_range: { first: 1_900_000_000, last: 1_900_065_535 },
        allow_unconfined: false,
        config: {},
      },
      network: { allow_private: [] },
      notify: {},
      metrics: {
        interval: 10_000,
        retention: { raw: 21_600_000, minute: 604_800_000, hour: 31_536_000_000 },
      },
    });
    expect(config.metrics.listen).toBeUndefined();
    expect(config.plugins.ceiling).toBeUndefined();
  });

  test("may name a provider that is a plugin, and how long its actions may take", async () => {
    const toml = '[providers]\ndefault = "podman"\n[plugins.timeouts.podman]\ncreate = "20m"\nstop = "1m"\n';
    const { providers, plugins } = await load(toml);
    expect(providers.default).toBe("podman");
    expect(plugins.timeouts).toEqual({ podman: { create: 1_200_000, stop: 60_000 } });
  });

  test("of root lives in the system's places", () => {
    expect(loadConfig({}, {}, 0)).toMatchObject({
      data_dir: "/var/lib/voxeltron",
      socket: "/run/voxeltron/voxeltron.sock",
    });
  });

  test("is overridden by variables, and they by flags", async () => {
    const toml = 'data_dir = "/from/file"\nlog_level = "warn"\n';
    const environment = { ...HOME, VOXELTRON_DATA_DIR: "/from/variable", VOXELTRON_LOG_LEVEL: "debug" };
    expect(await load(toml)).toMatchObject({ data_dir: "/from/file", log_level: "warn" });
    expect(await load(toml, environment)).toMatchObject({ data_dir: "/from/variable", log_level: "debug" });
    expect(await load(toml, environment, { dataDir: "/from/flag" })).toMatchObject({
      data_dir: "/from/flag",
      socket: "/from/flag/voxeltron.sock",
    });
  });

  test("has certificates from Let's Encrypt unless it says otherwise, and files by name", async () => {
    const letsEncrypt = "https://acme-v02.api.letsencrypt.org/directory";
    expect((await load("")).tls).toEqual({
      mode: "acme",
      fallback: "none",
      acme_directory: letsEncrypt,
      files: {},
    });
    const toml = '[tls]\nmode = "files"\n[tls.files.a]\ncert = "/a.pem"\nkey = "/a.key"\n';
    expect((await load(toml, { ...HOME, VOXELTRON_TLS_ACME_EMAIL: "ops@example.com" })).tls).toMatchObject({
      mode: "files",
      acme_email: "ops@example.com",
      files: { a: { cert: "/a.pem", key: "/a.key" } },
    });
  });

  test.each([
    ['mode = "letsencrypt"', '"acme", "self-signed" or "files"'],
    ['fallback = "yes"', '"none" or "self-signed"'],
    ['acme_email = "Ops <ops@example.com>"', "a mail address such as ops@example.com"],
    ['acme_directory = "http://ca.example.com/dir"', "the https URL of an ACME directory"],
    ['acme_directory = "https://user:pass@ca.example.com/dir"', "the https URL of an ACME directory"],
    ['acme_ca_file = "ca.pem"', "an absolute path"],
    ['files.a = { cert = "/a.pem" }', "key"],
    ['acme_eab_kid = "kid"', "acme_eab_kid and acme_eab_key_file together"],
  ])("refuses [tls] %s and says what is wanted", async (line, words) => {
    expect((await rejection(load(`[tls]\n${line}\n`))) as Error).toMatchObject({
      code: "config.invalid",
      message: expect.stringContaining(words),
    });
  });

  test("takes lists from variables, separated by commas", async () => {
    const { plugins } = await load("", { ...HOME, VOXELTRON_PLUGINS_CEILING: "logs_read, notify_send" });
    expect(plugins.ceiling).toEqual([
      { capability: "logs_read", scope: null },
      { capability: "notify_send", scope: null },
    ]);
    const scoped = { ...HOME, VOXELTRON_PLUGINS_CEILING: "notify_send=ops,notify_send=dev" };
    const [ceiling] = ceilingsFor((await load("", scoped)).plugins, "any");
    expect([...(ceiling?.scopes ?? [])]).toEqual([["notify_send", ["ops", "dev"]]]);
  });

  test("takes ceilings with scopes, of all plugins and of one, each as its capability and entries", async () => {
    const toml = [
      "[plugins]",
      'ceiling = ["logs_read", "network_outbound=api.example.com:443, *.example.org", "fs_read=files/a=b"]',
      "[plugins.ceilings]",
      'notifier = ["notify_send=ops"]',
    ].join("\n");
    const { plugins } = await load(toml);
    expect(plugins.ceiling).toEqual([
      { capability: "logs_read", scope: null },
      { capability: "network_outbound", scope: ["api.example.com:443", "*.example.org"] },
      { capability: "fs_read", scope: ["files/a=b"] },
    ]);
    expect(ceilingsFor(plugins, "notifier").map(({ key }) => key)).toEqual([
      "[plugins] ceiling",
      "notifier in [plugins.ceilings]",
    ]);
    expect(ceilingsFor(plugins, "constructor")).toHaveLength(1);
  });

  test.each([
    ["logs_raed", 'did you mean "logs_read"?'],
    ["logs_read=", "after logs_read= the name of a service"],
    ["network_outbound=http://a/", 'after network_outbound= a host such as "hooks.slack.com"'],
    ["fs_write=files/..", "after fs_write= a file or folder"],
    ["fs_write=backups", 'after fs_write= a file or folder such as "files/reports"'],
    ["toString", "one of fs_read"],
  ])("a ceiling of %j is refused with what is wanted", async (entry, words) => {
    const toml = `[plugins]\nceiling = ["notify_send", ${JSON.stringify(entry)}]`;
    expect((await rejection(load(toml))) as Error).toMatchObject({
      code: "config.invalid",
      message: expect.stringContaining(words),
    });
  });

  test("opens nothing to plugins' containers unless it says so", async () => {
    const { docker } = await load("");
    const { socket, ...rules } = docker;
    expect(socket).toEqual({ socketPath: "/var/run/docker.sock" });
    expect(Object.values(rules).every((value) => value === false || (value as string[]).length === 0)).toBe(
      true,
    );
    expect(Object.keys(rules).every((key) => key.startsWith("allow_"))).toBe(true);
    const opened = await load(
      '[docker]\nallow_network = true\nallow_binds = ["/srv/a", "/srv/b"]\nallow_capabilities = ["CAP_NET_ADMIN"]',
      {
        ...HOME,
        VOXELTRON_DOCKER_ALLOW_DEVICES: "/dev/dri, /dev/kvm",
        VOXELTRON_DOCKER_ALLOW_HOST_PID: "true",
      },
    );
    expect(opened.docker).toMatchObject({
      allow_network: true,
      allow_privileged: false,
      allow_host_pid: true,
      allow_binds: ["/srv/a", "/srv/b"],
      allow_devices: ["/dev/dri", "/dev/kvm"],
      allow_capabilities: ["NET_ADMIN"],
    });
  });

  test.each([
    ['allow_binds = ["/srv", "/srv/a"]', "none lies inside another"],
    ['allow_binds = ["/"]', "an absolute path"],
    ['allow_binds = ["/srv/../etc"]', "an absolute path"],
    ['allow_binds = ["srv"]', "an absolute path"],
    ["allow_binds = true", "allow_binds"],
    ['allow_devices = ["/etc/shadow"]', "below /dev"],
    ['allow_devices = ["/dev/../etc/shadow"]', "below /dev"],
    ['allow_capabilities = ["ALL"]', "a capability of the kernel"],
    ['allow_capabilities = ["net_admin"]', "a capability of the kernel"],
    ['allow_pull = ["https://ghcr.io"]', "the host of a registry"],
    ['allow_privileged = "true"', "true or false"],
    ["allow_everything = true", "allow_everything"],
  ])("refuses [docker] %s", async (line, words) => {
    expect(load(`[docker]\n${line}`)).rejects.toThrow(words);
  });

  test("takes ids and switches from the file and from variables", async () => {
    const file = await load("[plugins]\nuid_range = [60000, 60001]\nallow_unconfined = true");
    expect(file.plugins).toMatchObject({ uid_range: { first: 60000, last: 60001 }, allow_unconfined: true });
    const environment = {
      VOXELTRON_PLUGINS_UID_RANGE: "70000, 70010",
      VOXELTRON_PLUGINS_ALLOW_UNCONFINED: "false",
    };
    const { plugins } = await load("[plugins]\nallow_unconfined = true", { ...HOME, ...environment });
    expect(plugins).toMatchObject({ uid_range: { first: 70000, last: 70010 }, allow_unconfined: false });
  });

  test.each([
    [
      { VOXELTRON_PLUGINS_UID_RANGE: "70000" },
      "VOXELTRON_PLUGINS_UID_RANGE: found a list, wanted the first and the last",
    ],
    [{ VOXELTRON_PLUGINS_UID_RANGE: "a,70000" }, 'found "a", wanted the first and the last'],
    [{ VOXELTRON_PLUGINS_UID_RANGE: "-5,70000" }, 'found "-5", wanted the first and the last'],
    [{ VOXELTRON_PLUGINS_ALLOW_UNCONFINED: "yes" }, 'found "yes", wanted true or false'],
  ])("%j is refused", async (environment, says) => {
    const error = (await load("", { ...HOME, ...environment }).catch((thrown: unknown) => thrown)) as Error;
    expect(error).toMatchObject({ code: "config.invalid" });
    expect(error.message).toContain(says);
  });

  const bad: readonly (readonly [toml: string, says: string])[] = [
    ["log_levle = 1", 'config.toml:1:1: log_levle: is not a known key; did you mean "log_level"?'],
    [
      '\n[docker]\nsocket = "relative"',
      'config.toml:3:1: docker.socket: found "relative", wanted an absolute path',
    ],
    ['[plugins]\nidle_timeout = "soon"', 'found "soon", wanted a duration'],
    ["[plugins]\nidle_timeout = 5", "config.toml:2:1: plugins.idle_timeout"],
    ['[plugins]\nceiling = ["everything"]', "plugins.ceiling"],
    ["[plugins]\nuid_range = 60000", "found 60000, wanted the first and the last of at least two ids"],
    ["[plugins]\nuid_range = [60000]", "wanted the first and the last"],
    ["[plugins]\nuid_range = [60000, 60000]", "wanted the first and the last"],
    ["[plugins]\nuid_range = [60001, 60000]", "wanted the first and the last"],
    ["[plugins]\nuid_range = [0, 60000]", "from 1000"],
    ["[plugins]\nuid_range = [60000, 70000]", "without 65534 and 65535"],
    ["[plugins]\nuid_range = [60000, 4294967295]", "to 2147483646"],
    ["[plugins]\nuid_range = [60000.5, 60001]", "wanted the first and the last"],
    ['[plugins]\nuid_range = ["60000", "60001"]', 'found "60000"'],
    ['[plugins]\nallow_unconfined = "true"', 'found "true", wanted true or false'],
    ['[network]\nallow_private = ["everywhere"]', "wanted a network such as 10.0.0.0/8, or host:port"],
    ['[network]\nallow_private = "10.0.0.0/8"', "network.allow_private"],
    ['[providers]\ndefault = "My Podman"', "providers.default"],
    ['[plugins.timeouts.podman]\ncreate = "2h"', "plugins.timeouts.podman.create"],
    ["[plugins.timeouts.podman]\ncreate = 20", "found 20, wanted a text"],
    ['[plugins.timeouts.podman]\ncreat = "1m"', 'did you mean "create"?'],
    ['data_dir = "here"', 'found "here", wanted an absolute path'],
    ["log_level = ", "config.toml:1:"],
    ["a = 1\na = 2", "config.toml:2:"],
  ];
  test.each(bad)("%j is refused by line and key", async (toml, says) => {
    const error = (await load(toml).catch((thrown: unknown) => thrown)) as { code: string; message: string };
    expect(error).toMatchObject({ code: "config.invalid" });
    expect(error.message).toContain(says);
  });

  test.each([
    [{ VOXELTRON_PLUGINS_QUOTA_NOTIFICATIONS_PER_MINUTE: "60" }, 60],
    [{}, 30],
  ])("%j sets how much a plugin may notify", async (environment, expected) => {
    expect((await load("", { ...HOME, ...environment })).plugins.quota.notifications_per_minute).toBe(
      expected,
    );
  });

  test.each(["0", "1.5", "many", "-1"])("a plugin can't be let notify %s times a minute", async (value) => {
    const error = await load("", { ...HOME, VOXELTRON_PLUGINS_QUOTA_NOTIFICATIONS_PER_MINUTE: value }).catch(
      String,
    );
    expect(error).toContain("wanted a whole number, at least 1");
  });

  test.each([
    [
      'type = "slack"\nurl = "https://a.test/s3cret"\ntext = "{{sevrity}}"',
      "notify.ops.text: wanted placeholders that are known, and {{sevrity}} is none: did you mean severity?",
    ],
    [
      'type = "email"\nhost = "a.test"\nfrom = "a@b.c"\nto = ["a@b.c"]\npasword_file = "/s3cret"',
      'notify.ops.pasword_file: is not a known key; did you mean "password_file"?',
    ],
    [
      'type = "email"\nhost = "a.test"\nfrom = "a@b.c"\nto = ["a@b.c"]\nusername = "s3cret"',
      "notify.ops: wanted username together with password or password_file",
    ],
  ])("of a channel %j is refused by line and key, without its values", async (toml, says) => {
    const error = (await load(`[notify.ops]\n${toml}`).catch((thrown: unknown) => thrown)) as Error;
    expect(error).toMatchObject({ code: "config.invalid" });
    expect(error.message).toContain(says);
    expect(error.message).not.toContain("s3cret");
  });

  test.each([
    ["a duration", "[plugins]\nidle_timeout = 5", "plugins.idle_timeout: found 5, wanted a text"],
    ["a list", "[docker]\nallow_pull = 'docker.io'", 'docker.allow_pull: found "docker.io", wanted a list'],
    ["a choice", "log_format = 'xml'", 'log_format: found "xml", wanted "text" or "json"'],
    [
      "a channel's type",
      "[notify.ops]\ntype = 'webhok'",
      'notify.ops.type: found "webhok", wanted type = "web',
    ],
    [
      "a ceiling of no plugin",
      "[plugins.ceilings]\nMy_plugin = []",
      'found "My_plugin", wanted lower-case letters',
    ],
    ["a typo of what is missing", "[notify.ops]\ntype = 'slack'\nurll = 'x'", 'did you mean "url"?'],
  ])("says in plain words what is wrong with %s", async (_what, toml, says) => {
    const error = (await load(toml).catch((thrown: unknown) => thrown)) as Error;
    expect(error.message).toContain(says);
  });

  test.each([
    [{ VOXELTRON_LOG_LEVEL: "loud" }, 'VOXELTRON_LOG_LEVEL: found "loud", wanted "debug" or'],
    [{ VOXELTRON_PLUGINS_CEILING: "fs_read,fs_raed" }, 'VOXELTRON_PLUGINS_CEILING: found "fs_raed", wanted'],
  ])("of a variable the error names the variable, not the file: %j", async (environment, says) => {
    const error = (await load("log_level = 'info'", { ...HOME, ...environment }).catch(
      (thrown: unknown) => thrown,
    )) as Error;
    expect(error.message.startsWith(says)).toBe(true);
  });

  test("never repeats a channel's values in an error", async () => {
    const toml = '[notify.ops]\ntype = "slack"\nurl = "ftp://secret-token"\n';
    const error = (await load(toml).catch((thrown: unknown) => thrown)) as Error;
    expect(error.message).toContain("notify.ops");
    expect(error.message).not.toContain("secret-token");
  });

  test("of more than a mebibyte, or not in UTF-8, is refused unread", async () => {
    expect(load(`# ${"x".repeat(1 << 20)}`)).rejects.toMatchObject({ code: "config.unreadable" });
    await using dir = tempDir();
    writeFileSync(join(dir.path, "c.toml"), new Uint8Array([0x61, 0xff]));
    expect(() => loadConfig({ config: join(dir.path, "c.toml") }, HOME, 1000)).toThrow(
      expect.objectContaining({ code: "config.unreadable" }),
    );
  });
});

describe("[metrics]", () => {
  test("says how often is measured, how long it is kept, and who may read it", async () => {
    const toml =
      '[metrics]\ninterval = "30s"\nlisten = "[::1]:9464"\n[metrics.retention]\nraw = "1h"\nhour = "30d"\n';
    expect((await load(toml)).metrics).toEqual({
      interval: 30_000,
      listen: { host: "::1", port: 9464 },
      retention: { raw: 3_600_000, minute: 604_800_000, hour: 2_592_000_000 },
    });
    const environment = {
      ...HOME,
      VOXELTRON_METRICS_LISTEN: "127.0.0.1:9464",
      VOXELTRON_METRICS_RETENTION_RAW: "2h",
    };
    expect((await load(toml, environment)).metrics).toMatchObject({
      listen: { host: "127.0.0.1", port: 9464 },
      retention: { raw: 7_200_000, hour: 2_592_000_000 },
    });
  });

  test.each([
    ['interval = "500ms"', "from 1s to 60s"],
    ['interval = "2m"', "from 1s to 60s"],
    ["interval = 10", "metrics.interval"],
    ['listen = "9464"', "127.0.0.1:9464"],
    ['listen = "localhost:9464"', "127.0.0.1:9464"],
    ['listen = "127.0.0.1:0"', "127.0.0.1:9464"],
    ['listen = "127.0.0.1:70000"', "127.0.0.1:9464"],
    ['retention = "6h"', "metrics.retention"],
    ['retention = { minutes = "6h" }', "minutes"],
  ])("refuses %p", async (line, wanted) => {
    expect(await rejection(load(`[metrics]\n${line}\n`))).toMatchObject({
      code: "config.invalid",
      message: expect.stringContaining(wanted),
    });
  });
});

describe("a variable that is none of voxeltron's", () => {
  test("is named, with the one that was probably meant", () => {
    const environment = {
      VOXELTRON_PLUGIN_CEILING: "",
      VOXELTRON_CONFIG: "x",
      VOXELTRON_LOG_LEVEL: "info",
      PATH: "/",
    };
    expect(unknownVariables(environment)).toEqual([
      "VOXELTRON_PLUGIN_CEILING is no variable of voxeltron; did you mean VOXELTRON_PLUGINS_CEILING?",
    ]);
    expect(unknownVariables({ VOXELTRON_ZZZZZZZZ: "1" })).toEqual([
      "VOXELTRON_ZZZZZZZZ is no variable of voxeltron",
    ]);
  });
});

describe("what a reload can't change", () => {
  test("is named by its keys, and nothing else is", async () => {
    const started = await load("log_level = 'info'\n[plugins]\nfiles_max_count = 5");
    const config = { ...started, data_dir: "/a", socket: "/a/s" };
    const next = await load("log_level = 'debug'\nlog_format = 'json'\n[docker]\nsocket = '/run/d.sock'");
    expect(waitForStart(config, { ...next, data_dir: "/a", socket: "/a/s" })).toEqual([
      "log_format",
      "docker.socket",
      "plugins.files_max_count",
    ]);
    expect(waitForStart(config, config)).toEqual([]);
  });
});

describe("rules of alerts", () => {
  const head = `[[alerts]]\nname = "cpu"\nmetric = "cpu_percent"\nthreshold = 90\n`;

  test("have defaults, and take sizes and durations as people write them", async () => {
    const { alerts, alerting } = await load(
      `${head}\n[[alerts]]\nname = "memory"\nmetric = "memory_bytes"\nthreshold = "512 MiB"\nwhen = "below"\nduration = "5m"\nservice = "*"\nchannels = ["ops"]\n[alerting]\ndisable = ["disk"]\n`,
    );
    expect(alerts).toEqual([
      {
        name: "cpu",
        metric: "cpu_percent",
        when: "above",
        threshold: 90,
        duration: 60_000,
        service: undefined,
        channels: undefined,
      },
      {
        name: "memory",
        metric: "memory_bytes",
        when: "below",
        threshold: 512 * 1024 ** 2,
        duration: 300_000,
        service: "*",
        channels: ["ops"],
      },
    ]);
    expect(alerting).toEqual({ disable: ["disk"] });
  });

  test.each([
    [`${head}metrc = 1\n`, ":5:1: alerts.0.metrc: is not a known key"],
    [head.replace("cpu_percent", "cpu_percnt"), 'did you mean "cpu_percent"?'],
    [`${head}\n${head}`, `:6:1: alerts.1: found "cpu", wanted a name that no rule before it has`],
    [
      head.replace('"cpu"', '"disk"'),
      "service-down, restart-loop, disk, plugin, notification-channel, certificate-expiry are built in",
    ],
    [`${head.replace("cpu_percent", "load1")}service = "web"\n`, "only the host has that metric"],
    [head.replace("90", '"much"'), "wanted a number, or for bytes a size"],
    [`${head}duration = "2d"\n`, "a duration up to a day"],
    [`[alerting]\ndisable = ["cpu"]\n`, "wanted one of service-down"],
  ])("with %j are refused, and the words say where", async (toml, words) => {
    const error = await rejection(load(toml));
    expect(error).toMatchObject({ code: "config.invalid", message: expect.stringContaining(words) });
  });
});
