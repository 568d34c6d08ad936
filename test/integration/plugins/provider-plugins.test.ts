/** What plugins/podman and plugins/lxc have in common: the whole protocol, with real containers. */
import { describe, expect, test } from "bun:test";
import { existsSync, mkdirSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { rejection } from "../../fixtures/rejection.ts";
import { needs, tempDir, until } from "../../harness.ts";
import {
  fileIn,
  imageFor,
  limitsOf,
  openProvider,
  run,
  text,
  TOOLS,
  WAIT,
  type Ended,
  type Params,
  type ProviderUnderTest,
  type Tool,
} from "../../provider-plugin.ts";

const TOOLS_HERE: readonly (readonly [Tool, Parameters<typeof needs>[0]])[] = [
  ["podman", "podman"],
  ["lxc", "lxc and its bridge"],
];

describe.each(TOOLS_HERE)("the provider plugin %s", (tool, part) => {
  describe.skipIf(!needs(part))("with real containers", () => {
    test("leads a container through its whole life, and does nothing twice", async () => {
      await using provider = openProvider(tool);
      const { ask } = provider;
      const name = provider.name();
      expect(await ask("status", { name })).toBe("missing");
      await provider.create(name, { command: WAIT });
      expect(await provider.state(name)).toBe("created");
      expect((await refusal(provider.create(name))).message).toContain("is there already");

      for (let round = 0; round < 2; round++) {
        await ask("start", { name });
        await ask("start", { name });
        expect(await ask("status", { name })).toMatchObject({
          state: "running",
          started_at: expect.stringMatching(/^20\d\d-\d\d-\d\dT[\d:.]+(Z|\+00:00)$/),
        });
        await ask("stop", { name, grace_ms: 5000 });
        await ask("stop", { name });
        const ended = (await ask("status", { name })) as Record<string, unknown>;
        expect(ended).toMatchObject({ exit_code: 0 });
        expect(["stopped", "exited"]).toContain(String(ended["state"]));
      }

      await ask("destroy", { name });
      await ask("destroy", { name });
      expect(await ask("status", { name })).toBe("missing");
      expect(TOOLS[tool].isThere(name)).toBe(false);
      for (const action of ["start", "stop", "logs", "stats"])
        expect((await refusal(ask(action, { name }))).message).toBe(`there is no container ${name}`);
    });

    test("removes a container that runs", async () => {
      await using provider = openProvider(tool);
      const name = await provider.run();
      const pid = TOOLS[tool].pidOf(name);
      await provider.ask("destroy", { name });
      expect(existsSync(`/proc/${pid}`)).toBe(false);
      expect(await provider.state(name)).toBe("missing");
    });

    test("gives a container all that was asked for", async () => {
      await using provider = openProvider(tool);
      await using dir = tempDir();
      const volume = `vxt-${crypto.randomUUID().slice(0, 8)}`;
      mkdirSync(join(dir.path, "with space, ü"));
      fileIn(dir.path, "with space, ü/file", "from outside");
      const file = fileIn(dir.path, "one", "one file");
      const port = await freePort();
      const name = provider.name();
      await provider.create(name, {
        ports: { "80": port },
        env: {
          PLAIN: "x",
          SPACED: " a  b ",
          QUOTED: `'"\\"'`,
          HASH: "#1 $HOME ${x} `id` %s",
          UMLAUT: "größer 😀",
          EMPTY: "",
        },
        cpus: 0.5,
        memory: "64MiB",
        volumes: [`${volume}:/data`, `${dir.path}/with space, ü:/host files`, `${file}:/one:ro`],
        command: `httpd -f -p 80 -h '/host files'`,
      });
      const started = (await provider.ask("start", { name })) as
        | { addresses?: Record<string, string> }
        | undefined;

      const variables = await provider.inside(name, "cat", "/proc/1/environ");
      expect(variables.split("\0")).toEqual(
        expect.arrayContaining([
          "PLAIN=x",
          "SPACED= a  b ",
          `QUOTED='"\\"'`,
          "HASH=#1 $HOME ${x} `id` %s",
          "UMLAUT=größer 😀",
          "EMPTY=",
        ]),
      );
      expect(await provider.inside(name, "sh", "-c", "echo $UMLAUT")).toBe("größer 😀\n");
      expect(limitsOf(TOOLS[tool].pidOf(name))).toEqual({ memory: 64 << 20, cpus: 0.5 });
      expect(await provider.inside(name, "cat", "/one")).toBe("one file");
      expect(await refusal(provider.inside(name, "sh", "-c", "echo x > /one"))).toBeDefined();
      await provider.inside(name, "sh", "-c", "echo inside > '/host files/new'; echo kept > /data/file");
      expect(readFileSync(`${dir.path}/with space, ü/new`, "utf8")).toBe("inside\n");
      const address = started?.addresses?.["80"] ?? `127.0.0.1:${port}`;
      const answered = await until(async () => await fetch(`http://${address}/file`).catch(() => undefined));
      expect(await answered.text()).toBe("from outside");
      await provider.ask("destroy", { name });

      // A named volume outlives its container.
      const next = await provider.run({ volumes: [`${volume}:/data:ro`] });
      expect(await provider.inside(next, "cat", "/data/file")).toBe("kept\n");
      await provider.ask("destroy", { name: next });
      removeVolume(tool, volume);
    });

    test("takes a port's key for its name where it is no number", async () => {
      await using provider = openProvider(tool);
      const port = await freePort();
      const name = await provider.run({ ports: { app: port }, command: `httpd -f -p ${port} -h /etc` });
      const again = (await provider.ask("start", { name })) as
        | { addresses?: Record<string, string> }
        | undefined;
      const address = again?.addresses?.["app"] ?? `127.0.0.1:${port}`;
      const answered = await until(
        async () => await fetch(`http://${address}/passwd`).catch(() => undefined),
      );
      expect(answered.status).toBe(200);
    });

    test("says how it is in the protocol's words", async () => {
      await using provider = openProvider(tool);
      const name = provider.name();
      await provider.create(name, { command: "sh -c 'exit 7'" });
      await provider.ask("start", { name });
      const status = await until(async () => {
        const now = await provider.ask("status", { name });
        return (now as { state: string }).state === "exited" ? now : undefined;
      });
      expect(status).toMatchObject({ state: "exited", exit_code: 7 });

      const other = await provider.run();
      TOOLS[tool].pause(other);
      expect(await provider.state(other)).toBe("paused");
      await provider.ask("start", { name: other });
      expect(await provider.state(other)).toBe("running");
      TOOLS[tool].pause(other);
      await provider.ask("stop", { name: other, grace_ms: 2000 });
      expect(["stopped", "exited"]).toContain(await provider.state(other));

      const deaf = await provider.run({ command: `sh -c "trap '' TERM; while :; do sleep 1; done"` });
      await provider.ask("stop", { name: deaf, grace_ms: 300 });
      expect(await provider.ask("status", { name: deaf })).toMatchObject({ exit_code: 137 });
    });

    test("says why a container can't start, and that it does not run", async () => {
      await using provider = openProvider(tool);
      const name = provider.name();
      await provider.create(name, { command: "/no/such/program" });
      const error = await refusal(provider.ask("start", { name }));
      expect(error).toMatchObject({ code: "plugin.failed" });
      expect(error.message).toMatch(/no such file or directory/i);
      expect(await provider.state(name)).not.toBe("running");
    });

    test("leaves a container alone that somebody else made", async () => {
      await using provider = openProvider(tool);
      const name = provider.name();
      await TOOLS[tool].makeForeign(name);
      const before = TOOLS[tool].stateOf(name);
      for (const [action, params] of FOREIGN)
        expect((await refusal(provider.ask(action, { name, ...params }))).message).toBe(
          `the container ${name} was not made by this plugin, and is left alone`,
        );
      expect((await refusal(provider.create(name))).message).toContain("which this plugin did not make");
      expect(await provider.state(name)).toBe("missing");
      expect(TOOLS[tool].isThere(name)).toBe(true);
      expect(TOOLS[tool].stateOf(name)).toBe(before);
      TOOLS[tool].remove(name);

      // The control: its own of that name goes.
      await provider.create(name, { command: WAIT });
      await provider.ask("start", { name });
      await provider.ask("destroy", { name });
      expect(TOOLS[tool].isThere(name)).toBe(false);
    });

    test("takes words for words: nothing of a spec becomes a flag, a line or a command", async () => {
      await using provider = openProvider(tool);
      await using dir = tempDir();
      const words = ["--help", "-n", "$(touch /tmp/x)", "a\nb", `"`, "'", "größer", "", "; id", "*"];
      const name = await provider.run();
      const script = `for word in "$@"; do printf '%s|' "$word"; done`;
      expect(await provider.inside(name, "sh", "-c", script, "sh", ...words)).toBe(`${words.join("|")}|`);

      const second = provider.name();
      await provider.create(second, {
        command: `sh -c 'printf "%s|" "$@"' sh --privileged 'a b' "it's" '$(id)' größer`,
      });
      await provider.ask("start", { name: second });
      expect(await logOf(provider, second, (log) => log.includes("größer"))).toContain(
        "--privileged|a b|it's|$(id)|größer|",
      );

      const marker = join(dir.path, "made");
      for (const wrong of hostileSpecs(marker)) {
        const error = await refusal(provider.create("vxt-hostile", wrong));
        expect({ wrong, code: error.code }).toEqual({ wrong, code: "plugin.failed" });
      }
      expect(existsSync(marker)).toBe(false);
      expect(TOOLS[tool].isThere("vxt-hostile")).toBe(false);
    });

    test("makes one container of a name, however many ask at once", async () => {
      await using provider = openProvider(tool);
      const name = provider.name();
      const all = await Promise.allSettled(
        Array.from({ length: 4 }, () => provider.create(name, { command: WAIT })),
      );
      const refused = all.filter((one) => one.status === "rejected").map((one) => String(one.reason));
      expect(refused).toEqual(
        Array.from({ length: 3 }, () => expect.stringContaining(`a container ${name} is there already`)),
      );
      await provider.ask("start", { name });
      await Promise.all(Array.from({ length: 4 }, () => provider.ask("start", { name })));
      expect(await provider.state(name)).toBe("running");
    });

    test("runs a command: input, both outputs, its status; and only where the container runs", async () => {
      await using provider = openProvider(tool);
      const name = await provider.run();
      const bytes = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte));
      const command = ["sh", "-c", "cat; echo problem >&2; exit 3"];
      const ended = (await provider.ask("exec", { name, command, stdin: bytes.toString("base64") })) as Ended;
      expect({ ...ended, stderr: text(ended.stderr_b64) }).toMatchObject({
        exit_code: 3,
        stdout_b64: bytes.toString("base64"),
        stderr: "problem\n",
      });
      const absent = (await provider.ask("exec", { name, command: ["no-such-program"] })) as Ended;
      expect(absent.exit_code).toBe(127);
      await provider.ask("stop", { name, grace_ms: 2000 });
      expect((await refusal(provider.ask("exec", { name, command: ["id"] }))).message).toMatch(
        /and a command needs it to run/,
      );
    });

    test("bounds a command's output, and is not held by what a command leaves behind", async () => {
      await using provider = openProvider(tool);
      const name = await provider.run();
      const megabytes = async (count: number) =>
        await provider.ask("exec", { name, command: ["dd", "if=/dev/zero", "bs=1M", `count=${count}`] });
      const whole = (await megabytes(4)) as Ended;
      expect(Buffer.from(whole.stdout_b64, "base64").length).toBe(4 << 20);
      expect((await refusal(megabytes(6))).message).toMatch(
        /wrote more than 5 MiB: send its output to a file/,
      );
      expect(await provider.inside(name, "sh", "-c", "sleep 30 & echo left")).toBe("left\n");
    });

    test("gives a log in pieces, from a position on, without a line twice or lost", async () => {
      await using provider = openProvider(tool);
      const script =
        "i=0; while [ $i -lt 5000 ]; do echo line $i of the log; i=$((i+1)); done; sleep 0.3; echo last; printf open";
      const name = await provider.run({
        command: `sh -c "${script}; sleep 0.5; echo ' and closed'; exec sleep 600"`,
      });
      const lines: string[] = [];
      let position: string | undefined;
      await until(
        async () => {
          const piece = (await provider.ask("logs", {
            name,
            ...(position === undefined ? {} : { position }),
          })) as Log;
          lines.push(...piece.lines.map((line) => line.text));
          position = piece.position;
          return lines.includes("open and closed");
        },
        { timeoutMs: 30_000, what: "the last line" },
      );
      const wanted = Array.from({ length: 5000 }, (_, at) => `line ${at} of the log`);
      expect(lines).toEqual([...wanted, "last", "open and closed"]);
      const tail = (await provider.ask("logs", { name, tail: 2 })) as Log;
      expect(tail.lines.map((line) => line.text)).toEqual(["last", "open and closed"]);
      // A position that means nothing here is none.
      const start = (await provider.ask("logs", { name, position: "1:2:3" })) as Log;
      expect(start.lines[0]?.text).toBe("line 0 of the log");
    });

    test("tells what a container uses, and of which of its runs", async () => {
      await using provider = openProvider(tool);
      const name = await provider.run({ memory: "32m" });
      const first = (await provider.ask("stats", { name })) as Record<string, unknown>;
      expect(Object.keys(first).toSorted()).toEqual([
        "block_read_bytes",
        "block_write_bytes",
        "cpu_seconds",
        "memory_bytes",
        "memory_limit_bytes",
        "network_rx_bytes",
        "network_tx_bytes",
        "run",
      ]);
      expect(first["memory_limit_bytes"]).toBe(32 << 20);
      expect(first["memory_bytes"]).toBeGreaterThan(0);
      await provider.inside(name, "sh", "-c", "i=0; while [ $i -lt 100000 ]; do i=$((i+1)); done");
      const later = (await provider.ask("stats", { name })) as Record<string, unknown>;
      expect(later["cpu_seconds"]).toBeGreaterThan(first["cpu_seconds"] as number);
      expect(later["run"]).toBe(first["run"] as string);
      await provider.ask("stop", { name, grace_ms: 2000 });
      expect((await refusal(provider.ask("stats", { name }))).message).toMatch(
        /only what runs uses anything/,
      );
      await provider.ask("start", { name });
      expect(((await provider.ask("stats", { name })) as Record<string, unknown>)["run"]).not.toBe(
        first["run"],
      );
    });

    test("goes on where it was killed in the middle", async () => {
      await using provider = openProvider(tool);
      const name = provider.name();
      const spec = { name, image: await imageFor(tool), command: WAIT, env: { A: "b" }, memory: "64m" };
      for (const afterMs of [60, 120, 180, 240, 300, 400]) {
        await provider.killed("create", spec, afterMs);
        if ((await provider.state(name)) === "missing") await provider.ask("create", spec);
        await provider.killed("start", { name }, afterMs / 2);
        await provider.ask("start", { name });
        expect(await provider.state(name)).toBe("running");
        await provider.killed("stop", { name }, afterMs / 2);
        await provider.ask("stop", { name });
        await provider.killed("destroy", { name }, afterMs / 2);
        await provider.ask("destroy", { name });
        expect(await provider.state(name)).toBe("missing");
        expect(TOOLS[tool].isThere(name)).toBe(false);
      }
    });

    test("does not know other actions, and says what a request looks like", async () => {
      await using provider = openProvider(tool);
      expect((await refusal(provider.ask("dance", { name: "x" }))).message).toBe("unknown action: dance");
      const child = Bun.spawn([`${provider.folder}/provider.py`], {
        stdin: Buffer.from("not JSON"),
        stdout: "pipe",
        env: provider.executable.env,
      });
      expect(await new Response(child.stdout).json()).toMatchObject({
        ok: false,
        error: expect.stringMatching(/^wanted a request such as/),
      });
    });
  });
});

// --- internal ---

interface Log {
  readonly lines: readonly { readonly text: string }[];
  readonly position?: string;
}

/** What would do something to a container of that name. */
const FOREIGN = [
  ["start", {}],
  ["stop", { grace_ms: 0 }],
  ["destroy", {}],
  ["logs", {}],
  ["stats", {}],
  ["exec", { command: ["id"] }],
] as const;

function hostileSpecs(marker: string): Params[] {
  return [
    ...[
      "",
      "-n",
      "--all",
      "../x",
      "a/b",
      "a b",
      "a\nb",
      "größe",
      ".",
      "x\0y",
      "x".repeat(64),
      "$(id)",
      "a:b",
    ].map((name) => ({ name })),
    ...["", "-t", "--privileged", "a b", "x\ny", "\0", `x;touch ${marker}`].map((image) => ({ image })),
    ...[
      "a",
      "a:b",
      ":/x",
      "a:/x:rw,exec",
      "a:/x:ro:z",
      "../x:/y",
      "/a/../b:/y",
      "a:/",
      "a:/x\nlxc.hook.start=/bin/x",
      "-v:/x",
    ].map((volume) => ({ volumes: [volume] })),
    { volumes: ["a:/x", "b:/x"] },
    { volumes: "a:/x" },
    ...["=", "A=B", "", "A B", "A\nB", "1A", "*", "#A", "-e"].map((name) => ({ env: { [name]: "x" } })),
    { env: { A: "x\0y" } },
    { env: { A: 1 } },
    { env: { A: "\ud800" } },
    ...[0, -1, 65_536, 1.5, "80", true, null].map((port) => ({ ports: { "80": port } })),
    { ports: { "0": 8080 } },
    { ports: { "99999": 8080 } },
    { ports: { a: 8080, b: 8080 } },
    ...[-1, "2", true, 1e9].map((cpus) => ({ cpus })),
    ...["4x", "g", "-1g", "1", "1e9", 512, "512m\n--privileged"].map((memory) => ({ memory })),
    ...["'", `"a`, "''", "a\0b", 1, ["a"]].map((command) => ({ command })),
    { privileged: true },
    { network: "host" },
  ];
}

async function refusal(promise: Promise<unknown>): Promise<{ code?: string; message: string }> {
  return (await rejection(promise)) as Error;
}

async function logOf(
  provider: ProviderUnderTest,
  name: string,
  isThere: (log: string) => boolean,
): Promise<string> {
  return await until(async () => {
    const { lines } = (await provider.ask("logs", { name })) as Log;
    const log = lines.map((line) => line.text).join("\n");
    return isThere(log) ? log : undefined;
  });
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  const { port } = server.address() as { port: number };
  await new Promise((done) => server.close(done));
  return port;
}

function removeVolume(tool: Tool, name: string): void {
  if (tool === "podman") run("podman", "volume", "rm", name);
  else rmSync(join("/var/lib/voxeltron-lxc/volumes", name), { recursive: true });
}
