/**
 * The kernel's door for confinement: system calls by name, and the few functions of libc that act on all threads or must not be
 * bypassed. Every result is the kernel's: 0 or more, or the negated error number.
 */
import { FFIType, ptr, read, type Pointer } from "bun:ffi";
import { getSystemErrorName } from "node:util";
import { openLibc } from "../libc.ts";
import { MACHINES } from "./seccomp/machine.ts";
import type { SyscallName } from "./seccomp/rule.ts";

/** A number, or memory whose address is passed; it must be alive until the call returns, so pass the array itself. */
export type Argument = number | bigint | Uint8Array | BigUint64Array;

export interface Kernel {
  call(name: SyscallName, ...args: readonly Argument[]): number;
  /** In all threads, which the system calls alone don't do. */
  setGroups(): number;
  setGroup(gid: number): number;
  setUser(uid: number): number;
  /** Returns only where it failed. `path`, arguments and environment are NUL-terminated by it. */
  execute(path: string, argv: readonly string[], environment: readonly string[]): number;
  /** Ends the process now, without anything that is waiting to run. */
  exit(status: number): never;
}

/** Opened at the first use: a process that confines nothing loads nothing. */
export function openKernel(): Kernel {
  return (opened ??= makeKernel());
}

/** `EPERM`, for a negated error number. */
export function errorName(result: number): string {
  return result < 0 ? getSystemErrorName(result) : "no error";
}

/** A C string, whose memory the caller keeps. */
export function cString(text: string): Uint8Array {
  return new TextEncoder().encode(`${text}\0`);
}

// --- internal ---

let opened: Kernel | undefined;

const functions = {
  syscall: {
    args: [FFIType.i64, FFIType.i64, FFIType.i64, FFIType.i64, FFIType.i64, FFIType.i64, FFIType.i64],
    returns: FFIType.i64,
  },
  setgroups: { args: [FFIType.u64, FFIType.ptr], returns: FFIType.i32 },
  setresgid: { args: [FFIType.u32, FFIType.u32, FFIType.u32], returns: FFIType.i32 },
  setresuid: { args: [FFIType.u32, FFIType.u32, FFIType.u32], returns: FFIType.i32 },
  execve: { args: [FFIType.ptr, FFIType.ptr, FFIType.ptr], returns: FFIType.i32 },
  _exit: { args: [FFIType.i32], returns: FFIType.void },
  __errno_location: { args: [], returns: FFIType.ptr },
} as const;

function makeKernel(): Kernel {
  const libc = openLibc(functions);
  const numbers = MACHINES[process.arch]?.numbers ?? {};
  const outcome = (result: number | bigint): number =>
    Number(result) < 0 ? -read.i32(libc.__errno_location() as Pointer) : Number(result);

  return {
    call(name, ...args) {
      const number = numbers[name];
      if (number === undefined) return -ENOSYS;
      const [a = 0, b = 0, c = 0, d = 0, e = 0, f = 0] = args.map((arg) =>
        typeof arg === "object" ? ptr(arg) : arg,
      );
      return keeping(args, () => outcome(libc.syscall(number, a, b, c, d, e, f)));
    },
    setGroups: () => outcome(libc.setgroups(0, null)),
    setGroup: (gid) => outcome(libc.setresgid(gid, gid, gid)),
    setUser: (uid) => outcome(libc.setresuid(uid, uid, uid)),
    execute(path, argv, environment) {
      const texts = [[path], argv, environment].map((list) => list.map(cString));
      const [[name] = [], words = [], settings = []] = texts;
      const [argvPointers, environmentPointers] = [words, settings].map(pointers);
      return keeping([texts, argvPointers, environmentPointers], () =>
        outcome(libc.execve(ptr(name!), ptr(argvPointers!), ptr(environmentPointers!))),
      );
    },
    exit(status) {
      libc._exit(status);
      throw new Error("_exit returned");
    },
  };
}

const ENOSYS = 38;

/** What the kernel gets by address must not be collected meanwhile. */
const kept = new Set<unknown>();

function keeping<T>(memory: unknown, work: () => T): T {
  kept.add(memory);
  try {
    return work();
  } finally {
    kept.delete(memory);
  }
}

function pointers(texts: readonly Uint8Array[]): BigUint64Array {
  return new BigUint64Array([...texts.map((text) => BigInt(ptr(text))), 0n]);
}
