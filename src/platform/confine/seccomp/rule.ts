/**
 * What a seccomp filter is made of, as data: which system call is let through, and with which arguments. What no rule names is
 * refused. Written down in rules.ts, turned into the kernel's instructions by compile.ts.
 */
import type { X64_SYSCALLS } from "./syscalls/x64.ts";

/** arm64 has fewer calls than x86-64 and none that x86-64 lacks; a rule for a call that a machine lacks is left out there. */
export type SyscallName = keyof typeof X64_SYSCALLS;

export type Rule =
  | { readonly call: SyscallName; readonly verdict: "allow" }
  /** Answers ENOSYS, as an older kernel would: the caller then falls back to something else. */
  | { readonly call: SyscallName; readonly verdict: "absent" }
  /** Let through where all tests of one of the clauses hold; otherwise EPERM. */
  | { readonly call: SyscallName; readonly verdict: readonly Clause[] };

export type Clause = readonly ArgumentTest[];

/**
 * An argument is compared as the kernel reads it: an `int` by its lower half (the upper may hold anything), a pointer or a `long`
 * as a whole. `mask` is applied to the lower half first.
 */
export interface ArgumentTest {
  readonly argument: 0 | 1 | 2 | 3 | 4 | 5;
  readonly equals: number;
  readonly width: "int" | "long";
  readonly mask?: number;
}

export function allow(...calls: readonly SyscallName[]): Rule[] {
  return calls.map((call) => ({ call, verdict: "allow" }));
}

export function absent(...calls: readonly SyscallName[]): Rule[] {
  return calls.map((call) => ({ call, verdict: "absent" }));
}

/** @example allowWhen("fcntl", [int(1, F_GETFL)], [int(1, F_SETFL)]) */
export function allowWhen(call: SyscallName, ...clauses: readonly Clause[]): Rule[] {
  return [{ call, verdict: clauses }];
}

export function int(argument: ArgumentTest["argument"], equals: number): ArgumentTest {
  return { argument, equals, width: "int" };
}

export function long(argument: ArgumentTest["argument"], equals: number): ArgumentTest {
  return { argument, equals, width: "long" };
}

/** The bits of `mask` must be exactly `equals`; the others may be anything. */
export function bits(argument: ArgumentTest["argument"], mask: number, equals: number): ArgumentTest {
  return { argument, equals, width: "int", mask };
}
