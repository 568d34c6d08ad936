/**
 * What the kernel says of each thread of this process: the seal trusts its own calls only when this confirms them. The files are
 * opened while that is possible and read when it is not any more.
 */
import { closeSync, openSync, readdirSync, readSync } from "node:fs";
import { systemCode } from "../../base/errors.ts";
import { ConfinementError } from "./failure.ts";

/** Descriptors of the status of each thread. */
export function openThreads(): number[] {
  return readdirSync(TASKS).flatMap((thread) => unlessGone(() => openSync(`${TASKS}/${thread}/status`, "r")));
}

/** Each thread can gain no privileges, is under a filter, has no capability, and is `uid` alone. Closes the descriptors. */
export function checkThreads(threads: readonly number[], uid: number | undefined): void {
  if (threads.length === 0) throw new ConfinementError("check", `${TASKS} names no thread`);
  for (const descriptor of threads) {
    for (const status of unlessGone(() => readAll(descriptor))) {
      for (const [field, value] of expected(uid)) expectField(status, field, value);
    }
    closeSync(descriptor);
  }
}

// --- internal ---

const TASKS = "/proc/self/task";
const STATUS_BYTES = 8192;
const NO_CAPABILITIES = "0000000000000000";

function expected(uid: number | undefined): (readonly [string, string])[] {
  const alone = `${uid}\t${uid}\t${uid}\t${uid}`;
  return [
    ["NoNewPrivs", "1"],
    ["Seccomp", "2"],
    ["CapPrm", NO_CAPABILITIES],
    ["CapEff", NO_CAPABILITIES],
    ["CapAmb", NO_CAPABILITIES],
    ...(uid === undefined
      ? []
      : ([
          ["Uid", alone],
          ["Gid", alone],
          ["Groups", ""],
        ] as const)),
  ];
}

function expectField(status: string, field: string, value: string): void {
  const found = new RegExp(`^${field}:[ \t]*(.*?)[ \t]*$`, "m").exec(status)?.[1];
  if (found === value) return;
  throw new ConfinementError(
    "check",
    `a thread has ${field} ${JSON.stringify(found)}, not ${JSON.stringify(value)}`,
  );
}

function readAll(descriptor: number): string {
  const buffer = new Uint8Array(STATUS_BYTES);
  return new TextDecoder().decode(buffer.subarray(0, readSync(descriptor, buffer, 0, STATUS_BYTES, null)));
}

/** A thread may end at any time. */
function unlessGone<T>(work: () => T): T[] {
  try {
    return [work()];
  } catch (error) {
    if (systemCode(error) === "ENOENT" || systemCode(error) === "ESRCH") return [];
    throw error;
  }
}
