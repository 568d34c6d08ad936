/** `plugin dev` and the other commands around a plugin's versions, against a daemon that only answers. */
import { describe, expect, test } from "bun:test";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { CandidateView } from "../../../src/api/operations.ts";
import { fail } from "../../../src/base/errors.ts";
import { candidate } from "../../fixtures/candidate.ts";
import { tempDir, until } from "../../harness.ts";
import { fakeDaemon, type Answers, type FakeDaemon } from "./fake-daemon.ts";
import { cliCommand, cliEnvironment, runCliProcess, runOnTerminal, textOf } from "./run-cli.ts";

const view = {
  name: "deploy-notifier",
  version: "1.0.0",
  tier: 2,
  kind: "js",
  state: "enabled",
  reason: null,
  room: "js-worker",
  roomReason: "it is so",
  type: "hook",
  builtIn: false,
  folder: null,
};

const details = {
  ...view,
  description: "",
  granted: [],
  notGranted: [],
  capabilities: [],
  unused: [],
  required: [],
  optional: [],
  hooks: [],
  digest: "0".repeat(64),
  installedAt: "2026-01-01T00:00:00.000Z",
  source: "upload",
  link: null,
  versions: [],
  strikes: 0,
  running: false,
  pending: 0,
  provider: null,
  warnings: [],
};

interface Dev {
  readonly folder: string;
  readonly daemon: FakeDaemon;
  /** All that was printed so far. */
  out(): string;
  err(): string;
  interrupt(): void;
  readonly exited: Promise<number>;
  /** Operations in order, but for the log. */
  calls(): readonly string[];
}

/** `plugin dev` in a process of its own, over a folder with one file. */
async function withDev(
  answers: Answers,
  words: readonly string[],
  work: (dev: Dev) => Promise<void>,
): Promise<void> {
  await using dir = tempDir();
  const folder = join(dir.path, "mine");
  mkdirSync(folder);
  writeFileSync(join(folder, "plugin.toml"), "1");
  const socket = join(dir.path, "s");
  await using daemon = fakeDaemon(socket, { ...standard, ...answers });
  await using child = Bun.spawn(cliCommand(["--socket", socket, "plugin", "dev", folder, ...words]), {
    env: cliEnvironment(),
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
  });
  const shown = { out: "", err: "" };
  const reading = [
    read(child.stdout, (text) => (shown.out += text)),
    read(child.stderr, (text) => (shown.err += text)),
  ];
  try {
    await work({
      folder,
      daemon,
      out: () => shown.out,
      err: () => shown.err,
      interrupt: () => child.kill("SIGINT"),
      exited: child.exited.then(async (status) => (await Promise.all(reading), status)),
      calls: () => daemon.requests.map(({ operation }) => operation).filter((name) => name !== "plugin.logs"),
    });
  } finally {
    child.kill("SIGKILL");
  }
}

async function read(stream: ReadableStream<Uint8Array>, take: (text: string) => void): Promise<void> {
  const decoder = new TextDecoder();
  for await (const chunk of stream) take(decoder.decode(chunk, { stream: true }));
}

const standard: Answers = {
  "plugin.inspect": () => candidate,
  "plugin.install": () => view,
  "plugin.info": () => details,
  "plugin.reload": () => ({ ...view, version: "1.0.1", changed: true }),
  async *"plugin.logs"(_input, signal) {
    yield { at: "2026-01-01T00:00:00.000Z", level: "info", text: "hello" };
    await new Promise((resolve) => signal.addEventListener("abort", resolve));
    return {};
  },
};

const gone = () => fail("plugin.not_found", 'no plugin is called "deploy-notifier"');

const edit = ({ folder }: Dev, text: string) => writeFileSync(join(folder, "plugin.toml"), text);

const executable = (digest: string): CandidateView => ({
  ...candidate,
  kind: "exec",
  tier: null,
  digest,
  required: [{ capability: "unsandboxed", risk: "High" }],
});

describe("plugin dev", () => {
  test("asks for each state of an executable, though it asks for the same", () => {
    let digest = "sha256:aa";
    return withDev(
      {
        "plugin.inspect": () => executable(digest),
        "plugin.reload"() {
          throw fail("consent.needed", "its files have changed");
        },
        "plugin.info": () => {
          throw gone();
        },
      },
      ["--yes"],
      async (dev) => {
        await until(() => dev.out().includes("hello"));
        digest = "sha256:bb";
        edit(dev, "more");
        await until(() => dev.out().match(/^installed /gm)?.length === 2);
        expect(dev.err().match(/• unsandboxed \(High risk\)/g)).toHaveLength(2);
        dev.interrupt();
        expect(await dev.exited).toBe(0);
      },
    );
  });

  test("installs once with consent, then reloads at each change, with the log in between; Ctrl-C ends it well", () =>
    withDev({}, ["--yes"], async (dev) => {
      await until(() => dev.out().includes("hello"));
      expect(dev.err()).toContain("Plugin: deploy-notifier v1.0.0\nRequires capabilities:\n");
      for (const count of [1, 2, 3]) {
        edit(dev, `edit ${count}`);
        await until(() => dev.out().match(/^reloaded /gm)?.length === count);
      }
      dev.interrupt();
      expect(await dev.exited).toBe(0);
      expect(dev.out()).toMatch(
        /^installed deploy-notifier v1\.0\.0 in \d+ ms\n2026\S+ info  hello\n(reloaded deploy-notifier v1\.0\.1 in \d+ ms\n){3}$/,
      );
      expect(dev.err()).toEndWith("no longer watching; deploy-notifier stays installed\n");
      expect(dev.calls().slice(0, 3)).toEqual(["upload", "plugin.inspect", "plugin.install"]);
      expect(dev.calls().slice(3)).toEqual([
        ...Array.from({ length: 3 }, () => ["upload", "plugin.reload"]).flat(),
        "plugin.info",
      ]);
      expect(dev.daemon.requests.find(({ operation }) => operation === "plugin.reload")?.input).toEqual({
        name: "deploy-notifier",
        upload: "upload-1",
      });
    }));

  test("says nothing where nothing changed, and goes on after an error", () => {
    const outcomes = [
      () => ({ ...view, changed: false }),
      () => {
        throw fail("plugin.bundle_failed", "index.ts:1:16: no");
      },
      () => ({ ...view, state: "disabled", changed: true }),
    ];
    let calls = 0;
    return withDev({ "plugin.reload": () => outcomes[calls++]!() }, ["--yes"], async (dev) => {
      await until(() => dev.out().includes("hello"));
      for (const count of [1, 2, 3]) {
        edit(dev, `edit ${count}`);
        await until(() => calls === count);
      }
      await until(() => dev.out().includes("reloaded"));
      expect(dev.err()).toContain("error: index.ts:1:16: no\n");
      expect(dev.out().match(/^reloaded .*$/gm)).toEqual([
        expect.stringMatching(/^reloaded deploy-notifier v1\.0\.0 in \d+ ms, now disabled$/),
      ]);
      dev.interrupt();
      expect(await dev.exited).toBe(0);
    });
  });

  test("waits for a folder that can be installed, and asks only once for the same", () => {
    let tries = 0;
    const install = (): typeof view => {
      if (++tries < 3) throw fail("plugin.load_failed", "it threw");
      return view;
    };
    return withDev({ "plugin.install": install }, ["--yes"], async (dev) => {
      for (const count of [1, 2]) {
        await until(() => dev.err().match(/^error: it threw$/gm)?.length === count);
        edit(dev, `edit ${count}`);
      }
      await until(() => dev.out().includes("installed deploy-notifier"));
      expect(dev.err().match(/^Plugin: /gm)).toHaveLength(1);
      dev.interrupt();
      expect(await dev.exited).toBe(0);
    });
  });

  test("asks again when the plugin asks for something else", () => {
    let wants = candidate;
    let reloads = 0;
    return withDev(
      {
        "plugin.inspect": () => wants,
        "plugin.reload"() {
          reloads++;
          throw fail("consent.needed", "it asks for more");
        },
        "plugin.info": () => {
          throw fail("plugin.not_found", "gone");
        },
      },
      ["--yes"],
      async (dev) => {
        await until(() => dev.out().includes("hello"));
        wants = { ...candidate, required: [{ capability: "fs_read", risk: "Low" }] };
        edit(dev, "more");
        await until(() => dev.out().match(/^installed /gm)?.length === 2);
        expect(reloads).toBe(1);
        expect(dev.err()).toContain("• fs_read (Low risk)");
        const grants = dev.daemon.requests
          .filter(({ operation }) => operation === "plugin.install")
          .map(({ input }) => (input as { grants: unknown }).grants);
        expect(grants).toEqual([
          [{ capability: "notify_send" }, { capability: "logs_read" }],
          [{ capability: "fs_read" }],
        ]);
        dev.interrupt();
        expect(await dev.exited).toBe(0);
      },
    );
  });

  test("installs again, with consent, what was removed in another terminal", () => {
    let isRemoved = false;
    const answers: Answers = {
      "plugin.install"() {
        isRemoved = false;
        return view;
      },
      "plugin.reload"() {
        if (isRemoved) throw gone();
        return { ...view, changed: true };
      },
    };
    return withDev(answers, ["--yes"], async (dev) => {
      await until(() => dev.out().includes("hello"));
      isRemoved = true;
      edit(dev, "2");
      await until(() => dev.out().match(/^installed /gm)?.length === 2);
      expect(dev.err().match(/^Plugin: deploy-notifier/gm)).toHaveLength(2);
      expect(dev.err()).not.toContain("no plugin is called");
      edit(dev, "3");
      await until(() => dev.out().includes("reloaded"));
      dev.interrupt();
      expect(await dev.exited).toBe(0);
      expect(dev.err()).toEndWith("; deploy-notifier stays installed\n");
    });
  });

  test("says at its end that the plugin is gone, where it is", () =>
    withDev(
      {
        "plugin.info"() {
          throw gone();
        },
      },
      ["--yes"],
      async (dev) => {
        await until(() => dev.out().includes("hello"));
        dev.interrupt();
        expect(await dev.exited).toBe(0);
        expect(dev.err()).toEndWith("no longer watching; deploy-notifier is not installed any more\n");
      },
    ));

  test("with --json prints one object a line", () =>
    withDev({}, ["--yes", "--json"], async (dev) => {
      await until(() => dev.out().includes("hello"));
      edit(dev, "2");
      await until(() => dev.out().includes("reloaded"));
      dev.interrupt();
      expect(await dev.exited).toBe(0);
      const lines = dev
        .out()
        .trim()
        .split("\n")
        .map((line) => JSON.parse(line) as { event: string });
      expect(lines.map(({ event }) => event)).toEqual(["installed", "log", "reloaded"]);
      expect(dev.err()).toBe("");
    }));

  const ends: readonly (readonly [string, Answers, readonly string[], number, string])[] = [
    ["without a terminal or a flag", {}, [], 5, "there is no terminal to consent at"],
    [
      "when the daemon goes away",
      {
        async *"plugin.logs"() {
          yield { at: "2026-01-01T00:00:00.000Z", level: "info", text: "hello" };
          throw fail("daemon.stopping", "the daemon is stopping");
        },
      },
      ["--yes"],
      3,
      "error: the daemon is stopping",
    ],
    ["on a usage error", {}, ["--isolation", "cell"], 2, "--isolation wants worker or process"],
  ];
  for (const [what, answers, words, status, text] of ends)
    test(`ends ${what}, with its status`, () =>
      withDev(answers, words, async (dev) => {
        expect(await dev.exited).toBe(status);
        expect(dev.err()).toContain(text);
      }));

  test("ends where there is no folder", async () => {
    await using dir = tempDir();
    const socket = join(dir.path, "s");
    await using _ = fakeDaemon(socket, standard);
    const ran = await runCliProcess(["--socket", socket, "plugin", "dev", join(dir.path, "none"), "--yes"]);
    expect(ran.status).toBe(2);
    expect(ran.stderr).toContain("can't be read: it does not exist");
  });

  test("on a terminal asks first, and no is the end", async () => {
    await using dir = tempDir();
    const socket = join(dir.path, "s");
    await using daemon = fakeDaemon(socket, standard);
    mkdirSync(join(dir.path, "mine"));
    const { screen, status } = await runOnTerminal(
      ["--socket", socket, "plugin", "dev", join(dir.path, "mine")],
      [{ see: "Grant these capabilities? [y/N]: ", type: "n\n" }],
    );
    expect(status).toBe(5);
    expect(screen).toContain("was not installed: you did not consent");
    expect(daemon.requests.map(({ operation }) => operation)).not.toContain("plugin.install");
  });
});

describe("plugin install", () => {
  test("--link sends the absolute path and no file, and says before the question what a link means", async () => {
    await using dir = tempDir();
    const socket = join(dir.path, "s");
    await using daemon = fakeDaemon(socket, standard);
    mkdirSync(join(dir.path, "mine"));
    const child = Bun.spawn(
      cliCommand(["--socket", socket, "plugin", "install", "--link", "mine", "--yes"]),
      {
        cwd: dir.path,
        env: cliEnvironment(),
        stdout: "pipe",
        stderr: "pipe",
      },
    );
    expect(await textOf(child.stdout)).toBe(`✓ Plugin installed and enabled, linked to ${dir.path}/mine\n`);
    expect(await textOf(child.stderr)).toContain(
      `  linked: every later change in ${dir.path}/mine is taken over without asking, if it asks for nothing else\n`,
    );
    expect(daemon.requests.map(({ operation }) => operation)).toEqual(["plugin.inspect", "plugin.install"]);
    expect(daemon.requests[1]?.input).toMatchObject({ source: { link: `${dir.path}/mine` } });
  });

  test("--link of an executable says that each change will pause it", async () => {
    await using dir = tempDir();
    const socket = join(dir.path, "s");
    await using daemon = fakeDaemon(socket, { ...standard, "plugin.inspect": () => executable("sha256:aa") });
    const ran = await runCliProcess(["--socket", socket, "plugin", "install", "--link", dir.path, "--yes"]);
    expect(ran.stderr).toContain(
      `  linked: every later change in ${dir.path} pauses it until you consent again\n`,
    );
    expect(daemon.requests.at(-1)?.input).toMatchObject({ grants: [{ capability: "unsandboxed" }] });
  });

  test("--link wants a folder, --isolation one of two words", async () => {
    await using dir = tempDir();
    const socket = join(dir.path, "s");
    await using daemon = fakeDaemon(socket, standard);
    const run = (...words: readonly string[]) =>
      runCliProcess(["--socket", socket, "plugin", "install", "deploy-notifier", "--yes", ...words]);
    expect((await run("--link")).stderr).toContain("--link wants a folder");
    expect((await run("--isolation", "none")).status).toBe(2);
    expect(daemon.requests).toEqual([]);
    expect((await run("--isolation", "process")).status).toBe(0);
    expect(daemon.requests.at(-1)?.input).toMatchObject({ isolation: "process" });
  });
});

test("plugin rollback says where the plugin is, and passes on which version is meant", async () => {
  await using dir = tempDir();
  const socket = join(dir.path, "s");
  await using daemon = fakeDaemon(socket, { "plugin.rollback": () => view });
  const run = (...words: readonly string[]) =>
    runCliProcess(["--socket", socket, "plugin", "rollback", "deploy-notifier", ...words]);
  expect((await run()).stdout).toBe("deploy-notifier is back at 1.0.0, enabled\n");
  expect(JSON.parse((await run("--to", "0.9.0", "--json")).stdout)).toEqual(view);
  expect(daemon.requests.map(({ input }) => input)).toEqual([
    { name: "deploy-notifier" },
    { name: "deploy-notifier", to: "0.9.0" },
  ]);
});
