/** Which machine this is, as seccomp counts: its architecture's number and its table of system calls. */
import type { Machine } from "./compile.ts";
import { ARM64_SYSCALLS } from "./syscalls/arm64.ts";
import { X64_SYSCALLS } from "./syscalls/x64.ts";

/** By `process.arch`. */
export const MACHINES: Readonly<Record<string, Machine>> = {
  x64: { auditArch: 0xc000003e, numbers: X64_SYSCALLS, openFolder: 0o200000 },
  arm64: { auditArch: 0xc00000b7, numbers: ARM64_SYSCALLS, openFolder: 0o40000 },
};
