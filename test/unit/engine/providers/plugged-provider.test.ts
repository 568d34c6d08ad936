/** A provider that is a plugin: what it is asked, what it may answer, and what stays true when it fails, hangs, lies or is gone. */
import { describe, expect, test } from "bun:test";
import { fail, type VoxError } from "../../../../src/base/errors.ts";
import { LIMITS } from "../../../../src/base/limits.ts";
import { commandText } from "../../../../src/base/command-text.ts";
import { memoryText } from "../../../../src/engine/providers/plugged/create-params.ts";
import { INSTANCE_STATES, workMs } from "../../../../src/engine/providers/provider.ts";
import { instanceSpec } from "../../../fixtures/instance-spec.ts";
import { codeOf, rejection } from "../../../fixtures/rejection.ts";
import { until } from "../../../harness.ts";
import { context, pluggedWorld, type PluggedWorld } from "./plugged-world.ts";

const refuse = (code: Parameters<typeof fail>[0]) => () => {
  throw fail(code, "no");
};
const actionsOf = ({ asked }: PluggedWorld) => asked.map(({ action }) => action);

describe("create", () => {
  test("has the seed's parameters, and nothing that is empty", async () => {
    const world = pluggedWorld();
    await world.provider.create(
      instanceSpec({
        id: "vx-web-1-a",
        image: "ubuntu:22.04",
        port: 8080,
        hostPort: 20_001,
        env: { NODE_ENV: "development" },
        cpus: 2,
        memoryBytes: 4 * 1024 ** 3,
        volumes: [{ source: "data", target: "/data", readOnly: true }],
        command: ["sh", "-c", "echo it's on"],
      }),
      context,
    );
    await world.provider.create(
      instanceSpec({ id: "dev", image: "alpine", service: undefined, workspace: "dev" }),
      context,
    );
    expect(world.asked.map(({ params }) => params)).toEqual([
      {
        name: "vx-web-1-a",
        image: "ubuntu:22.04",
        ports: { "8080": 20_001 },
        env: { NODE_ENV: "development", TOKEN: "secret" },
        cpus: 2,
        memory: "4g",
        volumes: ["data:/data:ro"],
        command: `sh -c 'echo it'"'"'s on'`,
      },
      { name: "dev", image: "alpine" },
    ]);
  });

  test("calls a workspace's port by its name where that is the port inside too, else by its number", async () => {
    const world = pluggedWorld();
    const ports = [
      { key: "app", inside: 8080, outside: 8080 },
      { key: "db", inside: 5432, outside: 20_002 },
      { key: "3000", inside: 3000, outside: 20_003 },
    ];
    await world.provider.create(
      instanceSpec({ service: undefined, workspace: "w", image: "a", ports }),
      context,
    );
    expect(world.asked[0]?.params["ports"]).toEqual({ app: 8080, "5432": 20_002, "3000": 20_003 });
  });

  test.each([
    [4 * 1024 ** 3, "4g"],
    [512 * 1024 ** 2, "512m"],
    [1536 * 1024, "1536k"],
    [1025, "1025b"],
  ])("writes %d bytes as %s", (bytes, text) => {
    expect(memoryText(bytes)).toBe(text);
  });

  test("writes a command so that whatever splits like a shell gets the same words", () => {
    const argv = ["sh", "-c", `a "b" $c 'd' \\ e`, "", "--x=1"];
    const child = Bun.spawnSync([
      "python3",
      "-c",
      "import shlex, json, sys; print(json.dumps(shlex.split(sys.argv[1])))",
      commandText(argv),
    ]);
    expect(JSON.parse(child.stdout.toString())).toEqual(argv);
  });

  test("gives what it says on standard error to the person who waits", async () => {
    const world = pluggedWorld();
    const lines: string[] = [];
    world.answers.create = (_params, { said }) => said?.("pulling \u001b[31mapp");
    await world.provider.create(instanceSpec({ image: "app" }), {
      ...context,
      progress: (text) => lines.push(text),
    });
    expect(lines).toEqual(["pulling [31mapp"]);
  });

  test("is refused for a folder, and without an image", async () => {
    const { provider, asked } = pluggedWorld();
    expect(() => provider.check(instanceSpec({ directory: "/srv/app" }))).toThrow(
      "box runs images, and no folders",
    );
    expect(await codeOf(provider.create(instanceSpec({ directory: "/srv/app" }), context))).toBe(
      "provider.unsupported",
    );
    expect(await codeOf(provider.create(instanceSpec(), context))).toBe("provider.unsupported");
    expect(asked).toEqual([]);
  });

  test("is on record before the first word of it, with the process that does it, and from then on", async () => {
    const world = pluggedWorld();
    const seen: unknown[] = [];
    world.answers.create = () => void seen.push(world.rows.find("box", "vx-web-1-a")?.creator);
    await world.made();
    expect(seen).toEqual(["4711 here"]);
    expect(world.rows.find("box", "vx-web-1-a")).toMatchObject({ service: "web", creator: null, starts: 0 });
    expect(await world.provider.list("owner")).toEqual(["vx-web-1-a"]);
    await world.provider.destroy("vx-web-1-a");
    expect(await world.provider.list("owner")).toEqual([]);
  });

  test.each([
    ["service", "plugin.failed", true],
    ["service", "plugin.timeout", true],
    ["workspace", "plugin.failed", false],
    ["workspace", "plugin.crashed", true],
  ] as const)("of a %s that ends with %s leaves it on record: %p", async (owner, code, isKept) => {
    const world = pluggedWorld();
    world.answers.create = refuse(code);
    const whose = owner === "service" ? {} : { service: undefined, workspace: "w" };
    expect(await codeOf(world.made({ id: "w", ...whose }))).toBe(code);
    expect(world.rows.find("box", "w") !== undefined).toBe(isKept);
  });

  test("that was not begun leaves nothing, whatever the reason", async () => {
    const world = pluggedWorld();
    world.installed = false;
    world.rows.put({ provider: "box", name: "other", service: "x", workspace: null, createdAt: "" });
    expect(await codeOf(world.made())).toBe("provider.unavailable");
    expect(world.rows.find("box", "vx-web-1-a")).toBeUndefined();
  });
});

describe("what is not on record", () => {
  test("is missing, and is not touched: it may be somebody else's", async () => {
    const { provider, asked } = pluggedWorld();
    expect(await provider.status("other")).toEqual({ state: "missing" });
    await provider.stop("other", 1_000);
    await provider.destroy("other");
    expect(await codeOf(provider.start("other"))).toBe("instance.not_found");
    expect(asked).toEqual([]);
  });

  test("of workspaces is in no list that a sweep could take for left over", async () => {
    const world = pluggedWorld();
    await world.made({ id: "dev", service: undefined, workspace: "dev" });
    expect(await world.provider.list("owner")).toEqual([]);
    expect(world.providers.instancesOn("box")).toEqual(["workspace dev"]);
  });
});

describe("status", () => {
  test.each([...INSTANCE_STATES])("may be %s, as a word and as an object", async (state) => {
    const world = pluggedWorld();
    const { id } = await world.made();
    world.answers.status = () => state;
    expect(await world.provider.status(id)).toEqual({ state });
    world.answers.status = () => ({
      state,
      exit_code: 137,
      started_at: "2026-01-01T00:00:00Z",
      restarts: 2,
      detail: "oom\n",
    });
    expect(await world.provider.status(id)).toEqual({
      state,
      exitCode: 137,
      startedAt: "2026-01-01T00:00:00Z",
      restarts: 2,
      detail: "oom ",
    });
  });

  test.each([
    [
      "up",
      /answered status with "up", wanted one of created, running, paused, restarting, stopped, exited, dead, missing/,
    ],
    [undefined, /with nothing, wanted one of created/],
    [["running"], /wanted one of created/],
    [{ state: "Running" }, /"Running" as its state, wanted one of/],
    [{ state: "exited", exit_code: "1" }, /"1" as its exit_code, wanted a whole number/],
    [{ state: "running", started_at: "yesterday" }, /as its started_at, wanted a time/],
  ])("is not %p", async (result, message) => {
    const world = pluggedWorld();
    const { id } = await world.made();
    world.answers.status = () => result;
    expect(await rejection(world.provider.status(id))).toMatchObject({
      code: "plugin.protocol",
      message: expect.stringMatching(message),
      details: { problem: "wrong_result", action: "status" },
    });
  });
});

describe("start, stop and destroy", () => {
  test.each([
    ["start", "running", "plugin.failed"],
    ["start", "running", "plugin.timeout"],
    ["stop", "exited", "plugin.failed"],
    ["stop", "missing", "plugin.crashed"],
    ["destroy", "missing", "plugin.failed"],
    ["destroy", "missing", "plugin.protocol"],
  ] as const)("%s: what is %s already is well, after %s", async (action, state, code) => {
    const world = pluggedWorld();
    const { id } = await world.made();
    world.answers[action] = refuse(code);
    world.answers.status = () => "paused";
    const act = () => (action === "stop" ? world.provider.stop(id, 1_000) : world.provider[action](id));
    if (action !== "start") expect(await codeOf(act())).toBe(code);
    world.answers.status = () => state;
    expect(await codeOf(act())).toBe("ok");
    expect(actionsOf(world).slice(-2)).toEqual([action, "status"]);
  });

  test("an error stays one where it did not come about, or where nobody can say", async () => {
    const world = pluggedWorld();
    const { id } = await world.made();
    world.answers.start = refuse("plugin.failed");
    world.answers.status = () => "created";
    expect(await rejection(world.provider.start(id))).toMatchObject({
      code: "plugin.failed",
      message: "box could not start: no",
    });
    world.answers.status = refuse("plugin.timeout");
    expect(await codeOf(world.provider.start(id))).toBe("plugin.failed");
  });

  test("stop gives its grace, and as much more time", async () => {
    const world = pluggedWorld();
    const { id } = await world.made();
    await world.provider.stop(id, 7_000);
    expect(world.asked).toEqual([{ action: "stop", params: { name: id, grace_ms: 7_000 }, moreMs: 7_000 }]);
    expect(workMs(world.provider, "create", 1)).toBeGreaterThan(600_000);
  });

  test("come one after the other for one instance, and side by side for others", async () => {
    const world = pluggedWorld();
    for (const id of ["a", "b"]) await world.made({ id });
    const gate = Promise.withResolvers<void>();
    world.answers.start = ({ name }) => (name === "a" ? gate.promise : undefined);
    const work = [world.provider.start("a"), world.provider.stop("a", 1), world.provider.start("b")];
    await work[2];
    expect(world.asked.map(({ action, params }) => `${action} ${String(params["name"])}`)).toEqual([
      "start a",
      "start b",
    ]);
    gate.resolve();
    await Promise.all(work);
    expect(actionsOf(world)).toEqual(["start", "start", "stop"]);
  });

  test("where creating broke off it is destroyed twice: what it had set in motion may come later", async () => {
    const world = pluggedWorld();
    world.answers.create = refuse("plugin.timeout");
    await codeOf(world.made());
    await world.provider.destroy("vx-web-1-a");
    expect(world.rows.find("box", "vx-web-1-a")).toBeDefined();
    await world.clock.advance(LIMITS.lateCreateMs);
    await until(() => world.rows.find("box", "vx-web-1-a") === undefined);
    expect(actionsOf(world).filter((action) => action === "destroy").length).toBe(2);
  });
});

describe("a name that another instance has", () => {
  test("takes nothing from it, whatever the plugin says", async () => {
    const world = pluggedWorld();
    const { id } = await world.made({ service: "web" });
    world.answers.create = refuse("plugin.failed");
    const spec = instanceSpec({ id, image: "app", service: undefined, workspace: id });
    expect(await codeOf(world.provider.create(spec, context))).toBe("provider.failed");
    expect(world.asked).toEqual([]);
    expect(world.rows.find("box", id)).toMatchObject({ service: "web", workspace: null });
    // The same instance may be made again.
    world.answers = {};
    await world.made({ service: "web" });
  });
});

describe("an address", () => {
  const spec = { port: 8080, hostPort: 20_001 };
  test.each([
    [undefined, { host: "127.0.0.1", port: 20_001 }],
    ["started", { host: "127.0.0.1", port: 20_001 }],
    [{ addresses: { app: "10.0.3.5:80" } }, { host: "10.0.3.5", port: 80 }],
    [{ addresses: { "8080": "[fd00::5]:80", other: "10.0.3.6:1" } }, { host: "fd00::5", port: 80 }],
    [{ addresses: { a: "10.0.3.5:80", b: "10.0.3.6:1" } }, { host: "127.0.0.1", port: 20_001 }],
  ])("from %p", async (result, upstream) => {
    const world = pluggedWorld();
    const made = await world.made(spec);
    world.answers.start = () => result;
    await world.provider.start(made.id);
    expect(await world.provider.reach?.(made)).toEqual(upstream);
  });

  test("of a workspace's port is found by the port's name, and is no other port's", async () => {
    const world = pluggedWorld();
    const ports = [
      { key: "app", inside: 8080, outside: 8080 },
      { key: "3000", inside: 3000, outside: 20_003 },
      { key: "db", inside: 5432, outside: 5432 },
    ];
    const made = await world.made({ service: undefined, workspace: "w", ports });
    const reached = (index: number) => {
      const port = ports[index] ?? { key: "", inside: 0, outside: 0 };
      return world.provider.reach?.({ ...made, ports: [port], port: port.inside, hostPort: port.outside });
    };
    world.answers.start = () => ({ addresses: { app: "10.0.3.5:8080", "3000": "10.0.3.5:3000" } });
    await world.provider.start(made.id);
    expect(await reached(0)).toEqual({ host: "10.0.3.5", port: 8080 });
    expect(await reached(1)).toEqual({ host: "10.0.3.5", port: 3000 });
    expect(await reached(2)).toEqual({ host: "127.0.0.1", port: 5432 });
    world.answers.start = () => ({ addresses: { app: "10.0.3.5:8080" } });
    await world.provider.start(made.id);
    expect(await reached(2)).toEqual({ host: "127.0.0.1", port: 5432 });
  });

  test.each([
    [{ addresses: { app: "10.0.3.5" } }],
    [{ addresses: { app: "a b:80" } }],
    [{ addresses: ["10.0.3.5:80"] }],
  ])("is not %p", async (result) => {
    const world = pluggedWorld();
    const made = await world.made(spec);
    world.answers.start = () => result;
    expect(await codeOf(world.provider.start(made.id))).toBe("plugin.protocol");
  });
});

describe("statistics and commands", () => {
  test("statistics are what they are called; a new start is a new run", async () => {
    const world = pluggedWorld();
    const { id } = await world.made();
    world.answers.stats = () => ({
      cpu_seconds: 1.5,
      memory_bytes: 4096,
      network_rx_bytes: 7,
      memory_limit_bytes: null,
    });
    const first = await world.provider.stats?.(id);
    expect(first).toEqual({ run: "start 0", cpuSeconds: 1.5, memoryBytes: 4096, networkRxBytes: 7 });
    await world.provider.start(id);
    expect((await world.provider.stats?.(id))?.run).not.toBe(first?.run);
    world.answers.stats = () => ({ cpu_seconds: -1, memory_bytes: 1 });
    expect(await codeOf(world.provider.stats?.(id) as Promise<unknown>)).toBe("plugin.protocol");
  });

  test("a command has its input and gives its output, as text or as bytes", async () => {
    const world = pluggedWorld();
    const { id } = await world.made();
    world.answers.exec = () => ({ exit_code: 3, stdout: "hällo", stderr_b64: "AAE=" });
    const output: [string, number[]][] = [];
    const code = await world.provider.exec(id, {
      command: ["cat"],
      stdin: Buffer.from("in"),
      signal: context.signal,
      output: async (stream, bytes) => void output.push([stream, [...bytes]]),
    });
    expect(code).toBe(3);
    expect(world.asked[0]?.params).toEqual({ name: id, command: ["cat"], stdin: "aW4=" });
    expect(output).toEqual([
      ["stdout", [...Buffer.from("hällo")]],
      ["stderr", [0, 1]],
    ]);
  });

  test.each([[{ exit_code: 256 }], [{ stdout: "x" }], [{ exit_code: 0, stdout_b64: "?" }], ["done"]])(
    "a command does not answer %p",
    async (result) => {
      const world = pluggedWorld();
      const { id } = await world.made();
      world.answers.exec = () => result;
      const options = { command: ["a"], stdin: undefined, signal: context.signal, output: async () => {} };
      expect(await codeOf(world.provider.exec(id, options))).toBe("plugin.protocol");
    },
  );

  test("input is bounded", async () => {
    const world = pluggedWorld();
    const { id } = await world.made();
    const stdin = new Uint8Array(LIMITS.execStdinBytes + 1);
    const options = { command: ["a"], stdin, signal: context.signal, output: async () => {} };
    expect(await codeOf(world.provider.exec(id, options))).toBe("exec.failed");
    expect(world.asked).toEqual([]);
  });

  test("what it does not offer is said, with what to do, and never asked", async () => {
    const world = pluggedWorld();
    const { id } = await world.made();
    world.actions = [];
    expect(world.provider.stats).toBeUndefined();
    const options = { command: ["a"], stdin: undefined, signal: context.signal, output: async () => {} };
    const logs = async () =>
      Array.fromAsync(world.provider.logs(id, { from: undefined, signal: context.signal }));
    for (const [action, work] of [
      ["exec", world.provider.exec(id, options)],
      ["logs", logs()],
    ] as const)
      expect(await rejection(work)).toMatchObject({
        code: "provider.unsupported",
        message: `box offers no ${action}`,
        hint: `the plugin box could, by naming it in its plugin.yaml: actions: [${action}]`,
      });
    expect(world.asked).toEqual([]);
  });
});

describe("a plugin that may not run", () => {
  test.each([
    "plugin.disabled",
    "plugin.tampered",
    "plugin.suspended",
    "plugin.stopped",
    "capability.denied",
  ] as const)("because of %s is a provider that is not available, and says why", async (code) => {
    const world = pluggedWorld();
    const { id } = await world.made();
    world.answers.status = () => {
      throw fail(code, "the reason", { hint: "what to do" });
    };
    const error = (await rejection(world.provider.status(id))) as VoxError;
    expect(error).toMatchObject({
      code: "provider.unavailable",
      hint: "what to do",
      details: { reason: code },
    });
    expect(error.message).toContain("the reason");
    expect(await codeOf(world.provider.destroy(id))).toBe("ok");
  });

  test("that is gone stays a provider as long as instances of it are left", async () => {
    const world = pluggedWorld();
    const { id } = await world.made();
    const { provider } = world;
    world.installed = false;
    expect(world.providers.all().map(({ name }) => name)).toEqual(["box"]);
    const error = (await rejection(provider.destroy(id))) as VoxError;
    expect([error.code, error.hint]).toEqual([
      "provider.unavailable",
      "install it again: voxeltron plugin install DIR",
    ]);
    expect(await codeOf(provider.status(id))).toBe("provider.unavailable");
    expect(() => provider.check(instanceSpec({ image: "a" }))).toThrow(
      "no provider of that name is installed any more",
    );
    world.installed = true;
    await provider.destroy(id);
    world.installed = false;
    expect(world.providers.all()).toEqual([]);
  });

  test("what an earlier daemon had set to create is ended first", async () => {
    const world = pluggedWorld();
    await world.made();
    world.rows.setCreator("box", "vx-web-1-a", "7 then");
    world.providers.recover();
    expect(world.ended).toEqual(["7 then"]);
  });
});
