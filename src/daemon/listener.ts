/**
 * The place of the API's socket: its folder, who may open it, and what a dead daemon left behind. Called by run.ts, which
 * holds the lock of the data directory already.
 */
import { chmodSync, chownSync, lstatSync, mkdirSync, readFileSync, unlinkSync } from "node:fs";
import { dirname } from "node:path";
import { fail } from "../base/errors.ts";
import { LIMITS } from "../base/limits.ts";
import { withUmask } from "../platform/umask.ts";

const GROUP = "voxeltron";

/** Makes room for the socket. Throws `daemon.already_running` where somebody answers there, `config.invalid` where none can be. */
export async function prepareSocket(socket: string): Promise<void> {
  if (Buffer.byteLength(socket) > LIMITS.socketPathBytes)
    throw fail(
      "config.invalid",
      `the socket's path has ${Buffer.byteLength(socket)} bytes, at most ${LIMITS.socketPathBytes} are possible: ${socket}`,
      {
        hint: "choose a shorter one with --socket",
      },
    );
  mkdirSync(dirname(socket), { recursive: true, mode: 0o750 });
  const there = lstatSync(socket, { throwIfNoEntry: false });
  if (there === undefined) return;
  if (!there.isSocket())
    throw fail("config.invalid", `${socket} is there already, and is no socket`, {
      hint: "choose another place with --socket",
    });
  if (await somebodyAnswers(socket))
    throw fail("daemon.already_running", `another program already listens at ${socket}`, {
      hint: "stop it first, or choose another --socket",
    });
  unlinkSync(socket);
}

/** Runs `listen` so that the socket is never open to others, then opens it to the group where there is one. */
export function openToGroup<T>(socket: string, listen: () => T): T {
  const result = withUmask(0o177, listen);
  chmodSync(socket, 0o660);
  const group = process.getuid?.() === 0 ? groupId(GROUP) : undefined;
  if (group !== undefined) {
    chownSync(socket, 0, group);
    // The folder of the data directory stays root's; a folder that only holds the socket is the group's to enter.
    if (dirname(socket) === "/run/voxeltron") chownSync(dirname(socket), 0, group);
  }
  return result;
}

// --- internal ---

async function somebodyAnswers(socket: string): Promise<boolean> {
  try {
    const connection = await Bun.connect({ unix: socket, socket: { data() {} } });
    connection.end();
    return true;
  } catch {
    return false;
  }
}

function groupId(name: string): number | undefined {
  try {
    const line = readFileSync("/etc/group", "utf8")
      .split("\n")
      .find((entry) => entry.startsWith(`${name}:`));
    const id = Number(line?.split(":")[2]);
    return Number.isInteger(id) ? id : undefined;
  } catch {
    return undefined;
  }
}
