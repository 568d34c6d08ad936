/** The tables of system calls beside the kernel's own headers, where this machine has them, and in themselves. */
import { describe, expect, test } from "bun:test";
import { existsSync, readFileSync } from "node:fs";
import { ARM64_SYSCALLS } from "../../../../src/platform/confine/seccomp/syscalls/arm64.ts";
import { X64_SYSCALLS } from "../../../../src/platform/confine/seccomp/syscalls/x64.ts";
import { lacks } from "../../../harness.ts";

const X64_HEADER = "/usr/include/x86_64-linux-gnu/asm/unistd_64.h";
/** arm64 has the numbers of all newer architectures. */
const GENERIC_HEADER = "/usr/include/asm-generic/unistd.h";

describe("the tables of system calls", () => {
  test("no number twice, no hole in what is old, and arm64 has no name that x86-64 lacks", () => {
    for (const table of [X64_SYSCALLS, ARM64_SYSCALLS]) {
      const numbers = Object.values(table);
      expect(new Set(numbers).size).toBe(numbers.length);
    }
    expect(Object.values(X64_SYSCALLS).filter((number) => number < 335)).toEqual(
      Array.from({ length: 335 }, (_, i) => i) as never,
    );
    expect(Object.keys(ARM64_SYSCALLS).filter((name) => !(name in X64_SYSCALLS))).toEqual([]);
  });

  test("what came after both tables were joined has one number", () => {
    const arm64: Readonly<Record<string, number>> = ARM64_SYSCALLS;
    const newer = Object.entries(X64_SYSCALLS).filter(([, number]) => number >= 424);
    expect(newer.length).toBeGreaterThan(40);
    for (const [name, number] of newer)
      if (name in arm64) expect([name, arm64[name]]).toEqual([name, number]);
  });

  test.skipIf(missing(X64_HEADER))("x86-64 knows every call of the kernel's header", () => {
    expect(X64_SYSCALLS).toMatchObject(definitions(readFileSync(X64_HEADER, "utf8")));
  });

  test.skipIf(missing(GENERIC_HEADER))("arm64 knows every call of the kernel's header", () => {
    const found = definitions(readFileSync(GENERIC_HEADER, "utf8"));
    expect(Object.keys(found).length).toBeGreaterThan(280);
    expect(ARM64_SYSCALLS).toMatchObject(found);
  });
});

function missing(header: string): boolean {
  if (existsSync(header)) return false;
  lacks("the kernel's headers (linux-libc-dev)");
  return true;
}

/** Names that stand in the generic header for 32-bit machines, and the header's own. */
const NOT_CALLS = /^(.*64|.*_time64|arch_specific_syscall|syscalls|sync_file_range2|mmap2|llseek)$/;
const ARE_CALLS = new Set(["getdents64", "pread64", "pwrite64", "prlimit64", "fadvise64"]);

function definitions(header: string): Record<string, number> {
  const numbers = new Map<string, string>();
  for (const [, name = "", value = ""] of header.matchAll(/^#define __NR(\w+)\s+(\w+)/gm))
    numbers.set(name, value);
  const resolve = (value: string | undefined): number | undefined =>
    value === undefined
      ? undefined
      : /^\d+$/.test(value)
        ? Number(value)
        : resolve(numbers.get(value.replace("__NR", "")));
  const calls = [...numbers]
    .filter(([name]) => name.startsWith("_"))
    .map(([name, value]) => [name.slice(1), resolve(value)] as const)
    // The older names of a file's status are defined for machines that have them.
    .filter((call): call is [string, number] => call[1] !== undefined);
  return Object.fromEntries(calls.filter(([name]) => ARE_CALLS.has(name) || !NOT_CALLS.test(name)));
}
