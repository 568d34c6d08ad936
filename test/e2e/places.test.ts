/** Where the daemon's places are not as it needs them, it says so and changes nothing; what it writes is private everywhere. */
import { describe, expect, test } from "bun:test";
import { chmodSync, mkdirSync, readdirSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { needs } from "../harness.ts";
import { makeMachine, type Answer } from "./machine.ts";

function errorOf(answer: Answer): { readonly code: string; readonly message: string } {
  return (JSON.parse(answer.stderr) as { error: { code: string; message: string } }).error;
}

describe.skipIf(!needs("compiled"))("the daemon's places", () => {
  test("a data directory that everybody may write to is refused, and nothing is written there", async () => {
    await using machine = makeMachine();
    mkdirSync(machine.dataDir);
    chmodSync(machine.dataDir, 0o777);
    const answer = await machine.cli("daemon", "--json");
    expect([answer.status, errorOf(answer).code]).toEqual([1, "state.unusable"]);
    expect(readdirSync(machine.dataDir)).toEqual([]);
  });

  test("in a data directory that others may enter, every file is the daemon's alone", async () => {
    await using machine = makeMachine();
    mkdirSync(machine.dataDir);
    chmodSync(machine.dataDir, 0o755);
    await machine.start();
    const open = readdirSync(machine.dataDir).filter(
      (name) => name !== "voxeltron.sock" && (statSync(join(machine.dataDir, name)).mode & 0o077) !== 0,
    );
    expect(open).toEqual([]);
  });

  test("a lock that is no lock and a folder that can't be made are named, and are no bugs", async () => {
    await using machine = makeMachine();
    mkdirSync(join(machine.dataDir, "uploads"), { recursive: true });
    writeFileSync(join(machine.dataDir, "daemon.lock"), "x".repeat(8192));
    const lock = errorOf(await machine.cli("daemon", "--json"));
    expect([lock.code, lock.message]).toEqual(["state.unusable", expect.stringContaining("daemon.lock")]);

    const file = join(machine.folder, "file");
    writeFileSync(file, "");
    const below = errorOf(await machine.cli("daemon", "--json", "--socket", join(file, "vx.sock")));
    expect(below.code).not.toBe("internal.bug");
  });
});
