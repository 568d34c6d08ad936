/** Where a secret's value may come from, and what is shown of it: nothing. */
import { expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { fail } from "../../../src/base/errors.ts";
import { LIMITS } from "../../../src/base/limits.ts";
import { tempDir } from "../../harness.ts";
import { fakeDaemon } from "./fake-daemon.ts";
import { runCliProcess, runOnTerminal } from "./run-cli.ts";

const SET = { isDeployed: true, isRedacted: true };

test("a value is typed without echo, piped or read from a file, without the line end that editors leave", async () => {
  await using dir = tempDir();
  const socket = join(dir.path, "s");
  await using daemon = fakeDaemon(socket, { "secret.set": () => SET });
  const set = ["--socket", socket, "secret", "set", "web", "TOKEN"];
  const { screen, status } = await runOnTerminal(set, [
    { see: "Value of TOKEN: ", type: "hunx\u007F2 ü=\r" },
  ]);
  expect(screen).toBe("Value of TOKEN: \nset TOKEN; counts from the next deploy on\n");
  expect(status).toBe(0);
  await runCliProcess(set, { stdin: "from a pipe\n" });
  await runCliProcess([...set, "--file", "-"], { stdin: "from a pipe\r\n" });
  const file = join(dir.path, "value");
  writeFileSync(file, "-----BEGIN\nline\n-----END\n\n");
  await runCliProcess([...set, "--file", file]);
  writeFileSync(file, "x".repeat(LIMITS.envValueBytes));
  await runCliProcess([...set, "--file", file]);
  expect(daemon.requests.map(({ input }) => (input as { value: string }).value)).toEqual([
    "hun2 ü=",
    "from a pipe",
    "from a pipe",
    "-----BEGIN\nline\n-----END\n",
    "x".repeat(LIMITS.envValueBytes),
  ]);
  expect((await runOnTerminal(set, [{ see: "TOKEN: ", type: "\u0003" }])).status).toBe(130);
  expect((await runOnTerminal(set, [{ see: "TOKEN: ", type: "\r" }])).status).toBe(2);
  expect(daemon.requests).toHaveLength(5);
});

test("what is no value is refused before the daemon is asked", async () => {
  await using dir = tempDir();
  const socket = join(dir.path, "s");
  await using daemon = fakeDaemon(socket, { "secret.set": () => SET });
  const set = ["--socket", socket, "secret", "set", "web"];
  const file = join(dir.path, "value");
  writeFileSync(file, "x".repeat(LIMITS.envValueBytes + 10));
  const tries: readonly [words: readonly string[], stdin: string | Uint8Array<ArrayBuffer>, says: string][] =
    [
      [["TOKEN"], "", "standard input holds no value"],
      [["TOKEN"], "\n", "standard input holds no value"],
      [["TOKEN"], new Uint8Array([0xff, 0xfe]), "not text in UTF-8"],
      [["TOKEN", "--file", join(dir.path, "nope")], "", "can't be read"],
      [["TOKEN", "--file", dir.path], "", "can't be read"],
      [["TOKEN", "--file", file], "", "more than 128 KiB"],
      [["TOKEN", "hunter2"], "x", "a secret's value is no argument"],
      [["TOKEN=hunter2"], "x", "a secret's value is no argument"],
      [["1TOKEN"], "x", "no name for a variable"],
    ];
  for (const [words, stdin, says] of tries) {
    const { status, stderr, stdout } = await runCliProcess([...set, ...words], { stdin });
    expect([words, status, stderr]).toEqual([words, 2, expect.stringContaining(says)]);
    expect(stdout + stderr).not.toContain("hunter2");
  }
  expect(daemon.requests).toEqual([]);
});

test("what is set is listed without values, what is too short for logs is said, the key is changed", async () => {
  await using dir = tempDir();
  const socket = join(dir.path, "s");
  const at = "2026-01-01T00:00:00.000Z";
  await using daemon = fakeDaemon(socket, {
    "secret.set": () => ({ isDeployed: false, isRedacted: false }),
    "secret.list": () => ({ secrets: [{ service: "web", name: "TOKEN", updatedAt: at }] }),
    "secret.unset": () => ({}),
    "secret.rotate": () => ({ sealed: 3 }),
  });
  const run = (...words: string[]) =>
    runCliProcess(["--socket", socket, "secret", ...words], { stdin: "abc" });
  expect(await run("set", "web", "PIN")).toEqual({
    status: 0,
    stdout: "set PIN; the service gets it with its first deploy\n",
    stderr: "warning: PIN is too short to be told from other text: it will not be taken out of logs\n",
  });
  expect((await run("list", "web")).stdout).toBe(`SERVICE  NAME   SET\nweb      TOKEN  ${at}\n`);
  expect(JSON.parse((await run("list", "--json")).stdout)).toEqual([
    { service: "web", name: "TOKEN", updatedAt: at },
  ]);
  expect((await run("unset", "web", "TOKEN", "PIN")).stdout).toBe(
    "unset TOKEN, PIN; counts from the next deploy on\n",
  );
  expect((await run("rotate-key")).stdout).toBe("there is a new key; sealed with it: 3\n");
  expect(daemon.requests.map(({ input }) => input).slice(1)).toEqual([
    { service: "web" },
    {},
    { service: "web", names: ["TOKEN", "PIN"] },
    {},
  ]);
});

test("what was typed wrongly is answered with the help of its own command, also where a daemon refuses it", async () => {
  await using dir = tempDir();
  const socket = join(dir.path, "s");
  const refuse = (): never => {
    throw fail("usage.invalid", "that is no time");
  };
  await using _daemon = fakeDaemon(socket, { "metrics.query": refuse });
  const name = await runCliProcess(["--socket", socket, "secret", "set", "web", "1BAD"], { stdin: "x" });
  expect(name.stderr).toContain("hint: see: voxeltron secret set --help\n");
  const time = await runCliProcess(["--socket", socket, "metrics", "web", "--from", "10x"]);
  expect(time.stderr).toBe("error: that is no time\nhint: see: voxeltron metrics --help\n");
});
