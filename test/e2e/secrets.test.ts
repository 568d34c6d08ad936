/**
 * A secret's whole way through the compiled program, by both providers: set, given to a service that prints it, to a service that
 * fails with it on its lips, to plugins that log it, throw it and refuse with it; kept through kill -9 and a new key. Then everything
 * that the program wrote is searched for it.
 */
import { describe, expect, test } from "bun:test";
import { Database } from "bun:sqlite";
import { createHash, randomBytes } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { ensureTestImage, TEST_IMAGE } from "../fixtures/docker-image.ts";
import { needs, tempDir, until } from "../harness.ts";
import { seededRandom } from "../random.ts";
import { EXECUTABLE, instancesOf, makeMachine, type Answer, type Machine } from "./machine.ts";
import { tracesOf } from "./traces.ts";

const SEED = Number(process.env["VOXELTRON_SEED"] ?? 20261130);

/** Shows that it has the secret without showing it to whoever asks; prints it, as careless programs do. */
const APP = `
const secret = process.env.PASSWORD ?? "nothing";
console.log("connecting with " + secret);
console.error(JSON.stringify({ secret }));
const digest = (name) => new Bun.CryptoHasher("sha256").update(process.env[name] ?? "nothing").digest("hex");
Bun.serve({
  port: Number(process.env.PORT),
  hostname: "127.0.0.1",
  fetch: (request) => new Response(digest(new URL(request.url).searchParams.get("name") ?? "PASSWORD")),
});
`;
const BROKEN = `console.error("can't log in with " + process.env.PASSWORD); process.exit(3);`;

const PLUGINS = {
  talker: `
export default {
  async on_deploy_success(event, ctx) {
    const value = await ctx.secrets.get(event.service, "PASSWORD");
    ctx.log.warn("I know " + value, { value, [value]: [value] });
    await ctx.kv.set("length", value.length);
    return { value, names: await ctx.secrets.list(event.service) };
  },
  async on_deploy_fail(event, ctx) {
    throw new Error("failed with " + (await ctx.secrets.get(event.service, "PASSWORD")));
  },
};`,
  warden: `
export default {
  async on_deploy_start(event, ctx) {
    if (event.service === "gated") throw new Error("no: " + (await ctx.secrets.get("web", "PASSWORD")));
  },
};`,
} as const;

function plugin(name: keyof typeof PLUGINS, hooks: string): Record<string, string> {
  return {
    "plugin.toml": `[plugin]\nname = "${name}"\nversion = "1.0.0"\ndescription = "Knows secrets"\ntier = 2\n\n[capabilities]\nrequired = ["secrets_read"]\n\n[hooks]\n${hooks}\n`,
    "index.js": PLUGINS[name],
  };
}

interface Ground {
  readonly service: string;
  good(machine: Machine): readonly string[];
  bad(machine: Machine): readonly string[];
  /** The digest of the secret that the running service has. */
  digest(machine: Machine): Promise<string>;
}

const id = `${process.pid}`;

const PROCESSES: Ground = {
  service: "web",
  good: (machine) => ["--path", machine.write("app", { "index.ts": APP }), "--port", "3000"],
  bad: (machine) => ["--path", machine.write("broken", { "index.ts": BROKEN }), "--port", "3000"],
  async digest(machine) {
    const { address } = await machine.json<{ address: string }>("status", "web");
    return (await fetch(`http://${address}/`)).text();
  },
};

const CONTAINERS: Ground = {
  service: `secret-${id}`,
  good: () => [
    "--image",
    TEST_IMAGE,
    "--port",
    "8080",
    "--command",
    `sh -c 'echo I have $PASSWORD; exec httpd -f -p 8080 -h /'`,
  ],
  bad: () => ["--image", TEST_IMAGE, "--port", "8080", "--command", `sh -c 'echo I had $PASSWORD; exit 3'`],
  async digest(machine) {
    const { instance } = await machine.json<{ instance: string }>("status", CONTAINERS.service);
    const format = "{{range .Config.Env}}{{println .}}{{end}}";
    const { stdout } = Bun.spawnSync(["docker", "inspect", "--format", format, instance]);
    return sha256(/^PASSWORD=(.*)$/m.exec(stdout.toString())?.[1] ?? "nothing");
  },
};

/** All that commands print is kept, to be searched. */
function recorded(machine: Machine) {
  const printed: string[] = [];
  const cli = async (...words: readonly string[]): Promise<Answer> => {
    const answer = await machine.cli(...words);
    printed.push(`${words.join(" ")}\n${answer.stdout}`, `${words.join(" ")}\n${answer.stderr}`);
    return answer;
  };
  return { printed, cli };
}

async function followTheSecret(ground: Ground): Promise<void> {
  await using outside = tempDir();
  await using machine = makeMachine('log_level = "debug"\n[providers]\ndefault = "process"\n');
  const { printed, cli } = recorded(machine);
  const { service } = ground;
  const [first, second, plain] = [newValue(), newValue(), newValue()];
  const give = async (value: string): Promise<void> => {
    const file = join(outside.path, "value");
    writeFileSync(file, `${value}\n`);
    expect(await cli("secret", "set", service, "PASSWORD", "--file", file)).toMatchObject({ status: 0 });
  };
  const nowhere = (): void => {
    expect(tracesOf(first, machine, printed)).toEqual([]);
    expect(tracesOf(second, machine, printed)).toEqual([]);
  };
  const provider = ground === CONTAINERS ? "docker" : "process";
  await machine.start();
  try {
    for (const [name, hooks] of [
      ["talker", "on_deploy_success = true\non_deploy_fail = true"],
      ["warden", "on_deploy_start = { gate = true }"],
    ] as const)
      expect((await cli("plugin", "install", machine.write(name, plugin(name, hooks)), "--yes")).status).toBe(
        0,
      );

    // Before the service is there.
    await give(first);
    expect(await cli("deploy", service, ...ground.good(machine), "--provider", provider)).toMatchObject({
      status: 0,
    });
    expect(await ground.digest(machine)).toBe(sha256(first));
    await until(async () => (await cli("plugin", "logs", "talker")).stdout.includes("I know [redacted]"));
    nowhere();

    // A failing deploy whose program prints it, a plugin that throws it, a gate that refuses with it.
    const failed = await cli("deploy", service, ...ground.bad(machine), "--provider", provider);
    expect(failed.status).toBe(1);
    expect(failed.stderr).toContain("[redacted]");
    await until(async () => (await cli("events", "--json")).stdout.includes("failed with [redacted]"));
    if (ground === PROCESSES) {
      const refused = await cli("deploy", "gated", ...ground.good(machine));
      expect(refused).toMatchObject({ status: 5 });
      expect(refused.stderr).toContain("no: [redacted]");
    }
    for (const words of [
      ["status"],
      ["status", service],
      ["logs", service],
      ["plugin", "info", "talker"],
      ["secret", "list"],
      ["env", "list", service],
    ])
      expect((await cli(...words, "--json")).status).toBe(0);
    const call = {
      service,
      domain: "x",
      domains: [],
      image: "x",
      version: 1,
      provider,
      server: "local",
      durationMs: 1,
    };
    writeFileSync(join(outside.path, "event.json"), JSON.stringify(call));
    const called = await cli(
      "plugin",
      "call",
      "talker",
      "on_deploy_success",
      "--event",
      join(outside.path, "event.json"),
      "--json",
    );
    expect(called.stdout).toContain('"PASSWORD"');
    expect(called.stdout).toContain("[redacted]");
    nowhere();

    // Killed and started anew: with another value the running instance keeps its own until it is started again.
    await machine.end("SIGKILL");
    await machine.start();
    expect(await ground.digest(machine)).toBe(sha256(first));
    await give(second);
    expect(await ground.digest(machine)).toBe(sha256(first));
    if (ground === PROCESSES) {
      const [before] = instancesOf(machine.folder);
      await machine.end("SIGKILL");
      process.kill(before ?? 0, "SIGKILL");
      await machine.start();
      await until(async () => (await ground.digest(machine).catch(() => "")) === sha256(second), {
        timeoutMs: 20_000,
        what: "the instance with the new value",
      });
    } else {
      expect((await cli("deploy", service)).status).toBe(0);
      expect(await ground.digest(machine)).toBe(sha256(second));
    }
    nowhere();

    // Each read is on record, by name.
    const audit = new Database(join(machine.dataDir, "voxeltron.db"), { readonly: true });
    expect(
      audit
        .query(
          "SELECT DISTINCT plugin, target, outcome FROM audit WHERE method = 'secrets.get' ORDER BY plugin",
        )
        .all(),
    ).toContainEqual({ plugin: "talker", target: `${service}/PASSWORD`, outcome: "ok" });
    audit.close();

    // A new key.
    const key = readFileSync(join(machine.dataDir, "secret.key"));
    expect((await cli("secret", "rotate-key")).stdout).toContain("sealed with it: 1");
    expect(readFileSync(join(machine.dataDir, "secret.key")).equals(key)).toBe(false);
    await machine.end("SIGKILL");
    await machine.start();
    expect((await cli("deploy", service)).status).toBe(0);
    expect(await ground.digest(machine)).toBe(sha256(second));
    nowhere();

    // The search finds what is kept in plain.
    expect(await machine.cli("env", "set", service, `PLAIN=${plain}`)).toMatchObject({ status: 0 });
    expect(tracesOf(plain, machine, printed).join()).toContain("data/voxeltron.db");
    expect((await cli("remove", service, "--yes")).status).toBe(0);
    expect((await cli("secret", "list", "--json")).stdout.trim()).toBe("[]");
  } finally {
    await machine.cli("remove", service, "--yes");
  }
}

describe.skipIf(!needs("compiled") || !needs("linux"))("a secret shows nowhere", () => {
  test("where services are processes", () => followTheSecret(PROCESSES), 120_000);
  test.skipIf(!needs("docker"))(
    "where services are containers",
    async () => {
      await ensureTestImage();
      await followTheSecret(CONTAINERS);
    },
    120_000,
  );
});

describe.skipIf(!needs("compiled"))("secret set", () => {
  test("asks on a terminal, and shows nothing of what is typed", async () => {
    await using machine = makeMachine();
    await machine.start();
    const value = newValue();
    let screen = "";
    const child = Bun.spawn([EXECUTABLE, "secret", "set", "web", "TOKEN", "--data-dir", machine.dataDir], {
      env: { HOME: machine.folder, TERM: "xterm" },
      terminal: {
        data(terminal, bytes) {
          screen += new TextDecoder().decode(bytes);
          if (!screen.endsWith("Value of TOKEN: ")) return;
          // With a mistake that is taken back.
          terminal.write(`${value}x\u007F\r`);
        },
      },
    });
    expect(await child.exited).toBe(0);
    child.terminal?.close();
    expect(screen).toContain("set TOKEN");
    expect(screen).not.toContain(value.slice(0, 6));
    expect(tracesOf(value, machine, [screen])).toEqual([]);

    // It arrived whole.
    expect((await machine.cli("deploy", "web", ...PROCESSES.good(machine))).status).toBe(0);
    const { address } = await machine.json<{ address: string }>("status", "web");
    expect(await (await fetch(`http://${address}/?name=TOKEN`)).text()).toBe(sha256(value));
  }, 60_000);

  test("takes no first line for the whole of what was pasted", async () => {
    await using machine = makeMachine();
    await machine.start();
    let screen = "";
    const child = Bun.spawn([EXECUTABLE, "secret", "set", "web", "TOKEN", "--data-dir", machine.dataDir], {
      env: { HOME: machine.folder, TERM: "xterm" },
      terminal: {
        data(terminal, bytes) {
          screen += new TextDecoder().decode(bytes);
          if (screen.endsWith("Value of TOKEN: ")) terminal.write("first line\rsecond line\r");
        },
      },
    });
    expect(await child.exited).toBe(2);
    child.terminal?.close();
    expect(screen).toContain("several lines were pasted");
    expect(screen).not.toContain("first line");
    expect((await machine.cli("secret", "list", "--json")).stdout.trim()).toBe("[]");
  }, 60_000);

  test("takes no value from argv, and does not repeat the one that was given there", async () => {
    await using machine = makeMachine();
    await machine.start();
    for (const words of [["TOKEN", "hunter2222"], ["TOKEN=hunter2222"], ["TOKEN", "a", "hunter2222"]]) {
      const { status, stdout, stderr } = await machine.cli("secret", "set", "web", ...words);
      expect(status).toBe(2);
      expect(stderr).toContain("a secret's value is no argument");
      expect(stderr).toContain("--file FILE");
      expect(stdout + stderr).not.toContain("hunter2222");
    }
    expect((await machine.cli("secret", "list", "--json")).stdout.trim()).toBe("[]");
    // Nobody to ask and nothing to read: standard input is empty here.
    const empty = await machine.cli("secret", "set", "web", "TOKEN");
    expect(empty).toMatchObject({ status: 2 });
    expect(empty.stderr).toContain("standard input holds no value");
  }, 60_000);
});

describe.skipIf(!needs("compiled"))("the key", () => {
  test("of a credential of the service manager is used, and is not rotated by the daemon", async () => {
    await using outside = tempDir();
    await using machine = makeMachine();
    const credential = join(outside.path, "voxeltron-secret-key");
    const old = randomBytes(32);
    writeFileSync(credential, old, { mode: 0o400 });
    const environment = { CREDENTIALS_DIRECTORY: outside.path };
    await machine.start(environment);
    const value = newValue();
    const file = await write(outside.path, value);
    expect((await machine.cli("secret", "set", "web", "PASSWORD", "--file", file)).status).toBe(0);
    expect(await Bun.file(join(machine.dataDir, "secret.key")).exists()).toBe(false);
    const refused = await machine.cli("secret", "rotate-key");
    expect(refused).toMatchObject({ status: 6 });
    expect(refused.stderr).toContain("make it the credential and restart the daemon");
    await machine.end();

    // As the advice has it: a new key before the old one.
    await Bun.write(credential, Buffer.concat([randomBytes(32), old]));
    await machine.start(environment);
    expect(machine.log()).toContain("take the others out of it");
    await machine.end();
    await Bun.write(credential, readFileSync(credential).subarray(0, 32));
    await machine.start(environment);
    expect((await machine.cli("deploy", "web", ...PROCESSES.good(machine))).status).toBe(0);
    expect(await PROCESSES.digest(machine)).toBe(sha256(value));
  }, 60_000);

  test(`that is changed again and again while the daemon is killed opens everything, seed ${SEED}`, async () => {
    await using outside = tempDir();
    await using machine = makeMachine();
    const random = seededRandom(SEED);
    await machine.start();
    const value = newValue();
    const file = await write(outside.path, value);
    for (let i = 0; i < 100; i++) {
      const body = JSON.stringify({ service: "web", name: i === 0 ? "PASSWORD" : `S${i}`, value });
      const answer = await fetch("http://voxeltron/v1/secret.set", {
        unix: machine.socket,
        method: "POST",
        body,
      });
      expect(answer.status).toBe(200);
    }
    expect((await machine.cli("secret", "set", "web", "PASSWORD", "--file", file)).status).toBe(0);
    let changed = 0;
    for (let kill = 0; kill < 8; kill++) {
      const changing = (async () => {
        for (;;) {
          const answer = await fetch("http://voxeltron/v1/secret.rotate", {
            unix: machine.socket,
            method: "POST",
            body: "{}",
          });
          if (answer.status === 200) changed++;
        }
      })().catch(() => {});
      await Bun.sleep(20 + random() * 150);
      await machine.end("SIGKILL");
      await changing;
      await machine.start();
      // It opens each value before it changes anything.
      expect((await machine.cli("secret", "rotate-key")).stdout).toContain("sealed with it: 100");
    }
    expect(changed).toBeGreaterThan(8);
    expect((await machine.cli("deploy", "web", ...PROCESSES.good(machine))).status).toBe(0);
    expect(await PROCESSES.digest(machine)).toBe(sha256(value));
  }, 120_000);

  test("that is gone is told by name and not made anew; put back, it works without a restart", async () => {
    await using outside = tempDir();
    await using machine = makeMachine();
    await machine.start();
    const file = await write(outside.path, newValue());
    expect((await machine.cli("secret", "set", "web", "PASSWORD", "--file", file)).status).toBe(0);
    await machine.end();
    const keyFile = join(machine.dataDir, "secret.key");
    const key = readFileSync(keyFile);
    await Bun.file(keyFile).delete();
    await machine.start();
    expect(machine.log()).toContain("there is no key file");
    const refused = await machine.cli("deploy", "web", ...PROCESSES.good(machine), "--json");
    expect(JSON.parse(refused.stderr)).toMatchObject({ error: { code: "secret.key_missing" } });
    expect(await Bun.file(keyFile).exists()).toBe(false);
    writeFileSync(keyFile, key, { mode: 0o600 });
    expect((await machine.cli("deploy", "web", ...PROCESSES.good(machine))).status).toBe(0);

    // Lost for good: what it sealed can be removed, and then there is a new one.
    await machine.end();
    await Bun.file(keyFile).delete();
    await machine.start();
    expect(await machine.cli("secret", "set", "web", "PASSWORD", "--file", file)).toMatchObject({
      status: 1,
    });
    expect(await machine.cli("secret", "unset", "web", "PASSWORD")).toMatchObject({ status: 0 });
    expect(await machine.cli("secret", "set", "web", "PASSWORD", "--file", file)).toMatchObject({
      status: 0,
    });
    expect(readFileSync(keyFile).equals(key)).toBe(false);
  }, 60_000);

  test.each([
    [0o640, 32, "secret.key_exposed", "chmod 600"],
    [0o600, 31, "secret.key_invalid", "31 bytes instead of 32"],
  ])(
    "with mode %o and %d bytes keeps the daemon from starting, and says why",
    async (mode, size, code, words) => {
      await using outside = tempDir();
      const keyFile = join(outside.path, "key");
      await using machine = makeMachine(`[secrets]\nkey_file = "${keyFile}"\n`);
      writeFileSync(keyFile, randomBytes(size), { mode });
      const { status, stderr } = await machine.cli("daemon", "--json");
      expect(status).toBe(7);
      expect(JSON.parse(stderr)).toMatchObject({ error: { code } });
      expect(stderr).toContain(words);
    },
  );
});

function newValue(): string {
  return `vx-${randomBytes(12).toString("hex")}`;
}

function sha256(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}

/** Outside of what is searched. */
async function write(folder: string, value: string): Promise<string> {
  const file = join(folder, "value");
  await Bun.write(file, value);
  return file;
}
