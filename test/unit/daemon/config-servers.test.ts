/** `[servers.NAME]`: what is taken, what is refused and in which words. */
import { describe, expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { serverOf } from "../../../src/daemon/config-servers.ts";
import { loadConfig, type Config } from "../../../src/daemon/config.ts";
import { waitForStart } from "../../../src/daemon/next-start.ts";
import { rejection } from "../../fixtures/rejection.ts";
import { tempDir } from "../../harness.ts";

async function load(toml: string): Promise<Config> {
  await using dir = tempDir();
  const config = join(dir.path, "config.toml");
  writeFileSync(config, toml);
  return loadConfig({ config }, { HOME: "/home/someone" }, 1000);
}

const TLS = 'ca = "/etc/vx/ca.pem"\ncert = "/etc/vx/cert.pem"\nkey = "/etc/vx/key.pem"\n';
const FILES = { ca: "/etc/vx/ca.pem", cert: "/etc/vx/cert.pem", key: "/etc/vx/key.pem" };

describe("a server of the configuration", () => {
  test("is reached over TLS, and its instances at its host unless it says otherwise", async () => {
    const { servers } = await load(`[servers.build-2]\ndocker = "tcp://build-2.example:2376"\n${TLS}`);
    expect(servers).toEqual({
      "build-2": {
        endpoint: {
          protocol: "https",
          host: "build-2.example",
          port: 2376,
          files: FILES,
          tlsName: undefined,
        },
        address: "build-2.example",
        bind: undefined,
        ports: { first: 20_000, last: 31_999 },
      },
    });
  });

  test("may be a socket of this machine, or unencrypted on it", async () => {
    const { servers } = await load(
      '[servers.a]\ndocker = "unix:///run/a.sock"\n[servers.b]\ndocker = "tcp://127.0.0.1:2375"\naddress = "10.1.2.3"\n',
    );
    expect(servers["a"]).toMatchObject({ endpoint: { socketPath: "/run/a.sock" }, address: "127.0.0.1" });
    expect(servers["b"]).toMatchObject({
      endpoint: { protocol: "http", host: "127.0.0.1", port: 2375 },
      address: "10.1.2.3",
    });
  });

  test("may say where instances are published and reached, and whose certificate it has", async () => {
    const more = 'tls_name = "engine"\naddress = "apps.example"\nbind = "0.0.0.0"\nports = [30000, 30100]\n';
    const { servers } = await load(`[servers.a]\ndocker = "tcp://[fd00::5]:2376"\n${TLS}${more}`);
    expect(servers["a"]).toMatchObject({
      endpoint: { host: "fd00::5", tlsName: "engine" },
      address: "apps.example",
      bind: "0.0.0.0",
      ports: { first: 30_000, last: 30_100 },
    });
  });

  const refused: readonly (readonly [string, string, string])[] = [
    [
      "far away without certificates",
      'docker = "tcp://10.0.0.5:2375"',
      "ca, cert and key: without them the engine",
    ],
    ["with one file of three", 'docker = "tcp://10.0.0.5:2376"\nca = "/ca.pem"', "all of them or none"],
    ["with files for a socket", `docker = "unix:///run/a.sock"\n${TLS}`, "no ca, cert and key for a socket"],
    ["by ssh", 'docker = "ssh://root@host"', "unix:///path or tcp://host:port"],
    ["by a bare path", 'docker = "/run/a.sock"', "unix:///path or tcp://host:port"],
    ["without an engine", 'address = "10.0.0.5"', "docker"],
    [
      "with a file that is relative",
      'docker = "tcp://a:1"\nca = "ca.pem"\ncert = "/c"\nkey = "/k"',
      "an absolute path",
    ],
    [
      "that is reached everywhere",
      `docker = "tcp://a:1"\n${TLS}address = "0.0.0.0"`,
      "a host's name or an IP address",
    ],
    [
      "that publishes on a name",
      `docker = "tcp://a:1"\n${TLS}bind = "apps.example"`,
      "an IP address of the server",
    ],
    [
      "with ports backwards",
      `docker = "tcp://a:1"\n${TLS}ports = [300, 200]`,
      "the first and the last of a range",
    ],
    [
      "with a name for no certificate",
      'docker = "tcp://localhost:2375"\ntls_name = "a"',
      "tls_name only with",
    ],
    ["with a key that is none", `docker = "tcp://a:1"\n${TLS}cacert = "/ca.pem"`, "cacert"],
  ];
  test.each(refused)("%s is refused", async (_, toml, message) => {
    const error = (await rejection(load(`[servers.a]\n${toml}\n`))) as Error;
    expect(error.message).toContain(message);
  });

  test.each(["local", "all", "Build", "a_b", "a.b", ""])("can't be called %j", async (name) => {
    const error = await rejection(load(`[servers.${JSON.stringify(name)}]\ndocker = "unix:///run/a.sock"\n`));
    expect((error as Error).message).toContain("servers");
  });

  test("far away without certificates is taken where the operator says so", async () => {
    const { servers } = await load('[servers.a]\ndocker = "tcp://10.0.0.5:2375"\nallow_unencrypted = true\n');
    expect(servers["a"]?.endpoint).toEqual({ protocol: "http", host: "10.0.0.5", port: 2375 });
  });

  test("counts with a reload, and one that is gone is told as such", async () => {
    const before = await load('[servers.a]\ndocker = "unix:///run/a.sock"\n');
    const after = await load('[servers.b]\ndocker = "unix:///run/b.sock"\n');
    expect(waitForStart(before, { ...after, data_dir: before.data_dir, socket: before.socket })).toEqual([]);
    expect(() => serverOf(after.servers, "a")).toThrow("the server a is no longer in the configuration");
    expect(() => serverOf(after.servers, "constructor")).toThrow("no longer");
  });
});
