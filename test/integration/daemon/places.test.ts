/** The daemon takes its places carefully: nothing of anyone else's is removed, nothing of its own is open to others. */
import { describe, expect, test } from "bun:test";
import { mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { prepareSocket } from "../../../src/daemon/listener.ts";
import { lockDataDir } from "../../../src/daemon/lock.ts";
import { withUmask } from "../../../src/platform/umask.ts";
import { codeOf } from "../../fixtures/rejection.ts";
import { tempDir } from "../../harness.ts";

describe("the socket's place", () => {
  test("keeps a file that is there and is no socket", async () => {
    await using dir = tempDir();
    const file = join(dir.path, "precious");
    writeFileSync(file, "mine");
    expect(await codeOf(prepareSocket(file))).toBe("config.invalid");
    expect(readFileSync(file, "utf8")).toBe("mine");
  });

  test("is freed of the socket of a daemon that died", async () => {
    await using dir = tempDir();
    const socket = join(dir.path, "old.sock");
    const held = Bun.spawnSync([
      "sh",
      "-c",
      `exec timeout -s KILL 1 "${process.execPath}" -e 'Bun.listen({ unix: "${socket}", socket: { data() {} } }); process.kill(process.pid, "SIGKILL")'`,
    ]);
    expect(held.exitCode).not.toBe(0);
    expect(statSync(socket).isSocket()).toBe(true);
    await prepareSocket(socket);
    expect(statSync(socket, { throwIfNoEntry: false })).toBeUndefined();
  });
});

describe("the lock", () => {
  test("names the file that can't be used, and is no bug", async () => {
    await using dir = tempDir();
    mkdirSync(join(dir.path, "daemon.lock"));
    const attempt = async () => lockDataDir(dir.path);
    expect(await codeOf(attempt())).toBe("state.unusable");
    expect(attempt()).rejects.toThrow("daemon.lock");
  });

  test("made under a private umask is its user's alone, and the umask is as before", async () => {
    await using dir = tempDir();
    const before = process.umask();
    withUmask(0o077, () => lockDataDir(dir.path)).release();
    expect(statSync(join(dir.path, "daemon.lock")).mode & 0o777).toBe(0o600);
    expect(process.umask()).toBe(before);
  });
});
