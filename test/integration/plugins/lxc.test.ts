/** What only LXC can get wrong: addresses, configuration files, templates, and logs that are a terminal's. */
import { describe, expect, test } from "bun:test";
import { existsSync, mkdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { rejection } from "../../fixtures/rejection.ts";
import { needs, tempDir, until } from "../../harness.ts";
import { fileIn, openProvider, run, TOOLS, WAIT } from "../../provider-plugin.ts";

const LOOP = "trap 'exit 0' TERM; while :; do sleep 0.05; done";

describe.skipIf(!needs("lxc and its bridge"))("the lxc plugin", () => {
  test("gives each container an address of its own, and the same again", async () => {
    await using provider = openProvider("lxc");
    const names = [provider.name(), provider.name(), provider.name()];
    for (const name of names) await provider.create(name, { ports: { app: 8080 }, command: WAIT });
    const start = async (name: string) =>
      ((await provider.ask("start", { name })) as { addresses: { app: string } }).addresses.app;
    const addresses = await Promise.all(names.map(start));
    expect(new Set(addresses).size).toBe(3);
    for (const address of addresses) expect(address).toMatch(/^\d+\.\d+\.\d+\.\d+:8080$/);
    const [first = ""] = names;
    await provider.ask("stop", { name: first, grace_ms: 1000 });
    expect(await start(first)).toBe(addresses[0] ?? "");
    expect(await provider.inside(first, "ip", "-4", "addr", "show", "eth0")).toContain(
      addresses[0]?.split(":")[0] ?? "?",
    );
    expect(await provider.inside(first, "cat", "/etc/resolv.conf")).toMatch(
      /^nameserver \d+\.\d+\.\d+\.1\n$/,
    );
  });

  test("gives an address the same hardware address each time, so that a container is found at once after another start", async () => {
    await using provider = openProvider("lxc");
    const name = provider.name();
    await provider.create(name, { ports: { "80": 18_080 }, command: `sh -c "httpd -p 80 -h /etc; ${LOOP}"` });
    for (const round of [1, 2]) {
      const started = (await provider.ask("start", { name })) as { addresses: { "80": string } };
      const [ip = ""] = started.addresses["80"].split(":");
      const bytes = ip.split(".").map((byte) => Number(byte).toString(16).padStart(2, "0"));
      const found = await provider.inside(name, "cat", "/sys/class/net/eth0/address");
      expect([round, found.trim()]).toEqual([round, ["02", "42", ...bytes].join(":")]);
      // Whoever remembers another one of this address looks for it there for five seconds, or many more.
      const page = async () =>
        await fetch(`http://${ip}/passwd`, { signal: AbortSignal.timeout(1_000) }).catch(() => undefined);
      const timeoutMs = round === 1 ? 60_000 : 3_000;
      expect((await until(page, { timeoutMs, what: "its answer" })).status).toBe(200);
      await provider.ask("stop", { name, grace_ms: 1000 });
    }
  }, 90_000);

  test("runs the template's own init where no command is asked for, and keeps its address", async () => {
    await using provider = openProvider("lxc");
    const name = provider.name();
    await provider.ask("create", { name, image: "busybox", ports: { "80": 18_080 } });
    const started = (await provider.ask("start", { name })) as { addresses: { "80": string } };
    await until(async () => (await provider.inside(name, "ps")).includes("syslogd"), {
      what: "the init's work",
    });
    await provider.inside(name, "httpd", "-p", "80", "-h", "/etc");
    const answer = await until(
      async () => await fetch(`http://${started.addresses["80"]}/passwd`).catch(() => undefined),
    );
    expect(await answer.text()).toContain("root:x:0:0");
    await provider.ask("stop", { name, grace_ms: 10_000 });
    expect(await provider.state(name)).toBe("stopped");
  });

  test("refuses what LXC can't do, in words, and makes nothing", async () => {
    await using provider = openProvider("lxc");
    await using dir = tempDir();
    const name = provider.name();
    const refused = [
      [
        { env: { KEY: "a\nlxc.hook.start = /bin/false" } },
        /^LXC can't give a container a variable with a line break in it, and KEY has one$/,
      ],
      [{ env: { KEY: "a\rb" } }, /line break/],
      [{ volumes: [`${dir.path}/absent:/x`] }, /is not there on this machine$/],
      [{ image: "nosuch" }, /^lxc-create: .*Template "nosuch" not found/],
      [{ image: "busybox:12" }, /^the template busybox is asked for as busybox, and got 'busybox:12'$/],
      [{ image: "download" }, /download:debian\/12/],
      [
        { image: "download:debian/12/amd64/default/more" },
        /is asked for as download:DIST\/RELEASE\/ARCH\/VARIANT/,
      ],
      [{ image: "download:debian/--no-validate" }, /is asked for as/],
      [{ image: "debian:12/../x" }, /is asked for as debian:RELEASE\/ARCH/],
      [{ image: "../../bin/sh" }, /the name of one of LXC's templates/],
    ] as const;
    for (const [params, message] of refused) {
      const error = (await rejection(provider.create(name, params))) as Error;
      expect(error.message).toMatch(message);
      expect(TOOLS.lxc.isThere(name)).toBe(false);
    }
  });

  test("passes an image's parts on to its template", async () => {
    await using provider = openProvider("lxc");
    const name = provider.name();
    // No image server can be reached from a test, but what was asked of it is said.
    const said: string[] = [];
    const asked = provider.ask(
      "create",
      { name, image: "download:nosuch/1/amd64" },
      { said: (line) => said.push(line) },
    );
    expect(((await rejection(asked)) as Error).message).toMatch(/^lxc-create: /);
    expect(said.join("\n")).toMatch(/download|index|server/i);
    expect(TOOLS.lxc.isThere(name)).toBe(false);
  });

  test("keeps quotes, blanks and marks of a value that a configuration file would take for its own", async () => {
    await using provider = openProvider("lxc");
    const env = { A: `"quoted"`, B: "'", C: ` x # y `, D: "lxc.include = /etc/passwd", E: `\\"`, F: "\t" };
    const name = await provider.run({ env });
    const variables = (await provider.inside(name, "cat", "/proc/1/environ")).split("\0");
    expect(variables).toEqual(
      expect.arrayContaining(Object.entries(env).map(([key, value]) => `${key}=${value}`)),
    );
    expect(await provider.inside(name, "sh", "-c", 'printf "%s" "$C"')).toBe(env.C);
  });

  test("gives a command in a container nothing of the daemon's environment", async () => {
    await using provider = openProvider("lxc");
    const name = await provider.run({ env: { OWN: "1" } });
    const variables = await provider.inside(name, "env");
    expect(variables).toContain("OWN=1\n");
    expect(variables).not.toContain("PYTHONDONTWRITEBYTECODE");
  });

  test.each([
    ["before it had a configuration", ["partial"]],
    ["before its configuration said anything", ["partial", "config"]],
  ])("makes a container again of which a create that died left files: %s", async (_, files) => {
    await using provider = openProvider("lxc");
    const folders = run("lxc-config", "lxc.lxcpath");
    for (const isOurs of [true, false]) {
      const name = provider.name();
      mkdirSync(join(folders, name, "rootfs"), { recursive: true });
      for (const file of files) fileIn(join(folders, name), file, "");
      // What the plugin notes before it begins, and takes away at the end.
      if (isOurs) fileIn("/var/lib/voxeltron-lxc", `${name}.turn`, "create");
      expect(await provider.state(name)).toBe("missing");
      if (isOurs) {
        await provider.create(name, { command: WAIT });
        expect(await provider.state(name)).toBe("created");
      } else {
        expect(((await rejection(provider.create(name))) as Error).message).toMatch(
          /File exists|there already/,
        );
        expect(existsSync(join(folders, name, "partial"))).toBe(true);
        rmSync(join(folders, name), { recursive: true });
      }
    }
  });

  test("bounds the console's log", async () => {
    await using provider = openProvider("lxc");
    const name = await provider.run({
      command: `sh -c "yes 0123456789abcdef | head -n 2000000; echo the end; exec sleep 600"`,
    });
    const folder = join(run("lxc-config", "lxc.lxcpath"), name);
    const tail = async () =>
      ((await provider.ask("logs", { name, tail: 1 })) as { lines: { text: string }[] }).lines[0]?.text;
    await until(async () => (await tail()) === "the end", { timeoutMs: 60_000 });
    const sizes = ["console.log", "console.log.1"].map((file) => statSync(join(folder, file)).size);
    expect(sizes.every((size) => size <= 17 << 20)).toBe(true);
    expect(existsSync(join(folder, "console.log.2"))).toBe(false);
  });

  test("does not let a container's files lead it elsewhere", async () => {
    await using provider = openProvider("lxc");
    await using dir = tempDir();
    const target = join(dir.path, "target");
    await Bun.write(target, "untouched");
    const name = await provider.run();
    await provider.inside(
      name,
      "sh",
      "-c",
      `umount /etc/resolv.conf; rm -f /etc/resolv.conf; ln -s ${target} /etc/resolv.conf`,
    );
    await provider.ask("stop", { name, grace_ms: 1000 });
    await provider.ask("start", { name });
    await provider.ask("destroy", { name });
    expect(readFileSync(target, "utf8")).toBe("untouched");
  });
});
