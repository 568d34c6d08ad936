/** What only Podman can get wrong: ids that begin like a name, variables on a command line, and what a `create` that died leaves. */
import { describe, expect, test } from "bun:test";
import { readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { rejection } from "../../fixtures/rejection.ts";
import { needs, until } from "../../harness.ts";
import { fileIn, imageFor, openProvider, run, TOOLS, WAIT, type Ended } from "../../provider-plugin.ts";

describe.skipIf(!needs("podman"))("the podman plugin", () => {
  test("does not take a name for the beginning of an id", async () => {
    await using provider = openProvider("podman");
    const name = provider.name();
    await provider.create(name, { command: WAIT });
    const id = run("podman", "inspect", "--format", "{{.Id}}", name);
    // The control: Podman itself does.
    expect(run("podman", "inspect", "--format", "{{.Name}}", id.slice(0, 12))).toBe(name);
    const prefix = id.slice(0, 12);
    expect(await provider.state(prefix)).toBe("missing");
    await provider.ask("destroy", { name: prefix });
    expect(await rejection(provider.ask("stop", { name: prefix }))).toMatchObject({
      message: `there is no container ${prefix}`,
    });
    expect(await provider.state(name)).toBe("created");
  });

  test("publishes ports on the loopback address alone", async () => {
    await using provider = openProvider("podman");
    const name = provider.name();
    await provider.create(name, { ports: { "80": 18_437, "8443": 18_438 } });
    const bindings = run("podman", "inspect", "--format", "{{json .HostConfig.PortBindings}}", name);
    expect(JSON.parse(bindings)).toEqual({
      "80/tcp": [{ HostIp: "127.0.0.1", HostPort: "18437" }],
      "8443/tcp": [{ HostIp: "127.0.0.1", HostPort: "18438" }],
    });
  });

  test("shows no value of the environment to who lists processes", async () => {
    await using provider = openProvider("podman");
    const secret = crypto.randomUUID();
    const multiline = `begin\n${secret}\nend`;
    const name = provider.name();
    let seen = "";
    const made = new AbortController();
    const watch = (async () => {
      while (!made.signal.aborted) {
        seen += commandLines()
          .filter((line) => line.includes(name))
          .join("\n");
        await Bun.sleep(2);
      }
    })();
    await provider.create(name, { env: { TOKEN: secret, KEY: multiline }, command: WAIT });
    made.abort();
    await watch;
    // The control: the command itself was seen.
    expect(seen).toContain(`--name=${name}`);
    expect(seen).not.toContain(secret);
    expect(run("podman", "inspect", "--format", "{{json .Config.CreateCommand}}", name)).not.toContain(
      secret,
    );
    await provider.ask("start", { name });
    const variables = await provider.inside(name, "cat", "/proc/1/environ");
    expect(variables.split("\0")).toEqual(expect.arrayContaining([`TOKEN=${secret}`, `KEY=${multiline}`]));
  });

  test("lets no variable of a container steer Podman", async () => {
    await using provider = openProvider("podman");
    const name = provider.name();
    const env = {
      LD_PRELOAD: "/no/such.so",
      CONTAINER_HOST: "tcp://127.0.0.1:1",
      PATH: "/bin",
      HOME: "/tmp",
    };
    await provider.create(name, { env, command: WAIT });
    await provider.ask("start", { name });
    const variables = await provider.inside(name, "cat", "/proc/1/environ");
    expect(variables).toContain("CONTAINER_HOST=tcp://127.0.0.1:1\0");
    const other = provider.name();
    const broken = provider.create(other, { env: { LD_PRELOAD: "/a\n/b" } });
    expect(await rejection(broken)).toMatchObject({
      message: "podman can't be given LD_PRELOAD with a line break in it, or with more than 32 KiB",
    });
    expect(TOOLS.podman.isThere(other)).toBe(false);
  });

  test("passes on variables up to what a command line holds, and says where it is too much", async () => {
    await using provider = openProvider("podman");
    const name = provider.name();
    await provider.create(name, { env: { LARGE: "x".repeat(100_000) }, command: WAIT });
    await provider.ask("start", { name });
    const count = (await provider.ask("exec", {
      name,
      command: ["sh", "-c", "printf %s $LARGE | wc -c"],
    })) as Ended;
    expect(Buffer.from(count.stdout_b64, "base64").toString().trim()).toBe("100000");
    expect(
      await rejection(provider.create(provider.name(), { env: { LARGE: "x".repeat(200_000) } })),
    ).toMatchObject({
      message: "all of it together is too long for a command line",
    });
  });

  test("makes a container again of which a create that died left the files", async () => {
    await using provider = openProvider("podman");
    const name = provider.name();
    const image = await imageFor("podman");
    const spec = { name, image, command: WAIT };
    // As where the machine loses its power: the plugin and Podman at once.
    await until(
      async () => {
        const create = provider.killedWith(
          "create",
          spec,
          () => commandProcess("podman", `--name=${name}`),
          dies(),
        );
        await create;
        if (leftovers(name).length > 0) return true;
        await provider.ask("destroy", { name });
        return false;
      },
      { timeoutMs: 60_000, what: "files that are no container" },
    );
    expect(await provider.state(name)).toBe("missing");
    // The control: Podman by itself refuses.
    const bare = Bun.spawnSync(["podman", "create", "--name", name, image], { stderr: "pipe" });
    expect(bare.stderr.toString()).toContain("already in use");
    // And another one: without the plugin's own note the files may be somebody else's.
    const note = join("/var/lib/voxeltron-podman", `${name}.turn`);
    expect(readFileSync(note, "utf8")).toBe("create");
    rmSync(note);
    expect(await rejection(provider.ask("create", spec))).toMatchObject({
      message: expect.stringContaining("already in use"),
    });
    expect(leftovers(name)).toHaveLength(1);
    fileIn("/var/lib/voxeltron-podman", `${name}.turn`, "create");
    await provider.ask("create", spec);
    expect(await provider.state(name)).toBe("created");
  });

  test("says what a registry that is not there says", async () => {
    await using provider = openProvider("podman");
    const name = provider.name();
    const error = await rejection(provider.ask("create", { name, image: "127.0.0.1:9/nobody/here:1" }));
    expect(error).toMatchObject({
      code: "plugin.failed",
      message: expect.stringMatching(/^podman pull: .*refused/),
    });
    expect(await provider.state(name)).toBe("missing");
  });
});

// --- internal ---

function commandLines(): string[] {
  return processes().map(([, line]) => line);
}

function commandProcess(program: string, argument: string): number | undefined {
  return processes().find(([, line]) => line.startsWith(`${program} `) && line.includes(argument))?.[0];
}

function processes(): (readonly [pid: number, line: string])[] {
  return readdirSync("/proc")
    .map(Number)
    .filter((pid) => pid > 0)
    .flatMap((pid) => {
      try {
        return [[pid, readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ")] as const];
      } catch {
        return [];
      }
    });
}

/** Somewhere in what `podman create` takes here. */
function dies(): number {
  return 20 + Math.random() * 150;
}

function leftovers(name: string): unknown[] {
  const found = run("podman", "ps", "--all", "--external", "--format=json", `--filter=name=^${name}$`);
  return (JSON.parse(found) as { State: string }[]).filter(({ State }) => State === "storage");
}
