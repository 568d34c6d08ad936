/** The consent prompt on a real terminal, and what happens where there is none. */
import { describe, expect, test } from "bun:test";
import { join } from "node:path";
import { candidate } from "../../fixtures/candidate.ts";
import { tempDir } from "../../harness.ts";
import { fakeDaemon, type Answers, type FakeDaemon } from "./fake-daemon.ts";
import { runCliProcess, runOnTerminal } from "./run-cli.ts";

const answers: Answers = {
  "plugin.inspect": () => candidate,
  "plugin.install": () => ({
    name: "deploy-notifier",
    version: "1.0.0",
    tier: 2,
    kind: "js",
    state: "enabled",
    reason: null,
    room: "js-worker",
    roomReason: "that is where it runs",
    type: "hook",
    builtIn: false,
    folder: null,
  }),
};

const block = `Plugin: deploy-notifier v1.0.0
Requires capabilities:
  • notify_send (Medium risk)
  • logs_read (Low risk)
`;
const question = "Grant these capabilities? [y/N]: ";

async function withDaemon(work: (socket: string, daemon: FakeDaemon) => Promise<void>): Promise<void> {
  await using dir = tempDir();
  const socket = join(dir.path, "s");
  await using daemon = fakeDaemon(socket, answers);
  await work(socket, daemon);
}

const install = (socket: string, ...more: readonly string[]) => [
  "--socket",
  socket,
  "plugin",
  "install",
  "deploy-notifier",
  ...more,
];

const installed = (daemon: FakeDaemon) =>
  daemon.requests.find((request) => request.operation === "plugin.install")?.input;

describe("on a terminal", () => {
  test("y installs, and the screen shows the documented transcript to the letter", async () => {
    await withDaemon(async (socket, daemon) => {
      const { screen, status } = await runOnTerminal(install(socket), [{ see: question, type: "y\n" }]);
      expect(screen).toBe(`${block}\n${question}y\n✓ Plugin installed and enabled\n`);
      expect(status).toBe(0);
      expect(installed(daemon)).toEqual({
        source: { embedded: "deploy-notifier" },
        digest: "sha256:aa",
        grants: [{ capability: "notify_send" }, { capability: "logs_read" }],
      });
    });
  });

  for (const [what, typed, echo] of [
    ["n", "n\n", "n\n"],
    ["Enter alone", "\n", "\n"],
    ["anything but yes", "yeah\n", "yeah\n"],
    ["the end of input", "\u0004", "\n"],
    ["Ctrl-C", "\u0003", "^C\n"],
  ] as const)
    test(`${what} is no: nothing is installed and the status is 5`, async () => {
      await withDaemon(async (socket, daemon) => {
        const { screen, status } = await runOnTerminal(install(socket), [{ see: question, type: typed }]);
        expect(screen).toBe(
          `${block}\n${question}${echo}error: deploy-notifier was not installed: you did not consent\n`,
        );
        expect(status).toBe(5);
        expect(installed(daemon)).toBeUndefined();
      });
    });
});

describe("without a terminal", () => {
  test("a pipe that says yes is no consent", async () => {
    await withDaemon(async (socket, daemon) => {
      const ran = await runCliProcess(install(socket), { stdin: "y\ny\n" });
      expect(ran.stdout).toBe("");
      expect(ran.stderr).toBe(
        "error: deploy-notifier asks for notify_send, logs_read, and there is no terminal to consent at\n" +
          "hint: pass --yes, or for exactly these: --grant notify_send --grant logs_read\n",
      );
      expect(ran.status).toBe(5);
      expect(installed(daemon)).toBeUndefined();
    });
  });

  test("--yes grants what is required; the transcript is on stderr, the last line on stdout", async () => {
    await withDaemon(async (socket, daemon) => {
      const ran = await runCliProcess(install(socket, "--yes"));
      expect(ran.stderr).toBe(block);
      expect(ran.stdout).toBe("✓ Plugin installed and enabled\n");
      expect(ran.status).toBe(0);
      expect(installed(daemon)).toMatchObject({
        grants: [{ capability: "notify_send" }, { capability: "logs_read" }],
      });
    });
  });

  test("--grant grants exactly what it names, with its scope", async () => {
    await withDaemon(async (socket, daemon) => {
      const ran = await runCliProcess(
        install(socket, "--grant", "notify_send=slack,ops", "--grant", "fs_read", "--json"),
      );
      expect(ran.stderr).toBe("");
      expect(JSON.parse(ran.stdout)).toMatchObject({ name: "deploy-notifier", state: "enabled" });
      expect(installed(daemon)).toMatchObject({
        grants: [{ capability: "notify_send", scope: ["slack", "ops"] }, { capability: "fs_read" }],
      });
    });
  });

  test("--yes with --grant is a usage error before anything is asked of the daemon", async () => {
    await withDaemon(async (socket, daemon) => {
      const ran = await runCliProcess(install(socket, "--yes", "--grant", "fs_read"));
      expect(ran.stderr).toContain("--yes and --grant exclude each other");
      expect(ran.status).toBe(2);
      expect(daemon.requests).toEqual([]);
    });
  });
});
