/**
 * What Bun's fetch says when a Unix socket does not answer, in words that help: which socket, what is wrong with it, and the
 * command that mends it. Only client.ts calls this.
 */
import { existsSync, statSync } from "node:fs";
import { dirname } from "node:path";
import { fail, messageOf, systemCode, type VoxError } from "../base/errors.ts";
import { LIMITS } from "../base/limits.ts";
import { SYSTEM_SOCKET } from "../base/paths.ts";
import { quote } from "../base/text.ts";

export function translateFetchError(socket: string, startCommand: string, error: unknown): VoxError {
  const code = systemCode(error);
  const found = PROBLEMS[code ?? ""];
  if (found === undefined)
    return fail("connection.lost", `the connection to ${quote(socket)} failed: ${messageOf(error)}`, {
      cause: error,
      details: { socket },
    });
  return fail("daemon.not_reachable", found.message(quote(socket)), {
    cause: error,
    details: { socket, reason: code },
    hint: found === FORBIDDEN ? accessHint(socket) : (found.hint ?? startHint(socket, startCommand)),
  });
}

/** For an answer that no daemon of ours would give. */
export function foreignAnswer(socket: string): VoxError {
  return fail("daemon.not_reachable", FOREIGN.message(quote(socket)), {
    hint: FOREIGN.hint,
    details: { socket },
  });
}

// --- internal ---

interface Problem {
  readonly message: (socket: string) => string;
  readonly hint?: string;
}

const ABSENT: Problem = { message: (socket) => `no daemon listens at ${socket}: there is no such socket` };
const FORBIDDEN: Problem = { message: (socket) => `you may not open the daemon's socket ${socket}` };
const FOREIGN: Problem = {
  message: (socket) => `what listens at ${socket} does not speak voxeltron's API`,
  hint: "name the daemon's socket with --socket, or stop the other program and start: voxeltron daemon",
};

const PROBLEMS: Readonly<Record<string, Problem>> = {
  ENOENT: ABSENT,
  ENOTDIR: ABSENT,
  ECONNREFUSED: {
    message: (socket) => `no daemon listens at ${socket}: it is left over from one that has stopped`,
  },
  EACCES: FORBIDDEN,
  EPERM: FORBIDDEN,
  ENAMETOOLONG: {
    message: (socket) => `${socket} is longer than a socket's path can be (${LIMITS.socketPathBytes} bytes)`,
    hint: "choose a shorter one with --socket, for the daemon and its clients alike",
  },
  Malformed_HTTP_Response: FOREIGN,
};

/** A group member whose own daemon does not run most likely means the system's. */
function startHint(socket: string, startCommand: string): string {
  const start = `start it with: ${startCommand}`;
  return socket === SYSTEM_SOCKET || !existsSync(SYSTEM_SOCKET)
    ? start
    : `${start}, or use the system's: voxeltron --socket ${SYSTEM_SOCKET} …`;
}

/** A group is of use only where the daemon gave the socket to one, or its folder, which may hide the socket. */
function accessHint(socket: string): string {
  const group = groupOf(socket) ?? groupOf(dirname(socket)) ?? 0;
  return group === 0
    ? "only the user that the daemon runs as may: become that one, such as root with sudo"
    : "become a member of its group, then log in again: sudo usermod -aG voxeltron $USER";
}

function groupOf(path: string): number | undefined {
  try {
    return statSync(path).gid;
  } catch {
    return undefined;
  }
}
