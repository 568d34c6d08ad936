/**
 * Tries what a confined process may not do, so that a filter that isn't in force is noticed before a plugin is. The calls are such
 * that none does harm where it gets through: its arguments are wrong in another way then, which gives another error.
 */
import { ConfinementError } from "./failure.ts";
import { cString, errorName, type Argument, type Kernel } from "./kernel.ts";
import type { SyscallName } from "./seccomp/rule.ts";

export function checkRefusals(kernel: Kernel, parent: number): void {
  const opened = kernel.call("openat", AT_FDCWD, cString("/proc/self/environ"), 0, 0);
  if (opened >= 0) throw new ConfinementError("check", "a file could be opened");
  for (const [what, call, ...args] of attempts(parent)) {
    const result = kernel.call(call, ...args);
    if (errorName(result) !== "EPERM") {
      throw new ConfinementError("check", `${what} was not refused: ${errorName(result)}`);
    }
  }
}

// --- internal ---

const AT_FDCWD = -100;
const AF_UNIX = 1;
const AF_INET = 2;
const SOCK_STREAM = 1;
/** Without CLONE_VM it is refused as invalid by a kernel that gets to see it. */
const CLONE_SIGHAND = 0x800;
const PTRACE_ATTACH = 16;
const NOBODY = 0;

type Attempt = readonly [what: string, call: SyscallName, ...args: Argument[]];

function attempts(parent: number): readonly Attempt[] {
  return [
    ["a local socket", "socket", AF_UNIX, SOCK_STREAM, 0],
    ["a network socket", "socket", AF_INET, SOCK_STREAM, 0],
    ["another process", "clone", CLONE_SIGHAND, 0, 0, 0, 0],
    ["another program", "execve", 0, 0, 0],
    ["a signal to the daemon", "kill", parent, 0],
    ["another process's memory", "ptrace", PTRACE_ATTACH, NOBODY, 0, 0],
  ];
}
