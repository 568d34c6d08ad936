/**
 * Turns rules into the instructions of a seccomp filter (classic BPF). Pure: the numbers of the machine are given. A foreign
 * architecture's call ends the process; its other numbering (x32) and every call without a rule get EPERM; a number that is newer
 * than our table gets ENOSYS, as on an older kernel, so that a newer libc falls back.
 */
import type { ArgumentTest, Clause, Rule } from "./rule.ts";

/** What differs from machine to machine. */
export interface Machine {
  /** AUDIT_ARCH_… of <linux/audit.h>. */
  readonly auditArch: number;
  readonly numbers: Readonly<Record<string, number>>;
  /** O_DIRECTORY of openat, which differs. */
  readonly openFolder: number;
}

export interface Instruction {
  readonly code: number;
  readonly whenTrue: number;
  readonly whenFalse: number;
  readonly value: number;
}

/** struct seccomp_data: the number, the architecture, the instruction's address, then six arguments of 64 bits. */
export const DATA = { number: 0, arch: 4, arguments: 16 } as const;

export const CODE = { load: 0x20, equal: 0x15, above: 0x25, atLeast: 0x35, and: 0x54, answer: 0x06 } as const;

export const ANSWER = {
  allow: 0x7fff0000,
  killProcess: 0x80000000,
  notPermitted: 0x00050000 | 1,
  notImplemented: 0x00050000 | 38,
} as const;

export function compileFilter(rules: readonly Rule[], machine: Machine): readonly Instruction[] {
  const newest = Math.max(...Object.values(machine.numbers));
  return [
    load(DATA.arch),
    jump(CODE.equal, machine.auditArch, 1, 0),
    answer(ANSWER.killProcess),
    load(DATA.number),
    jump(CODE.atLeast, X32_BIT, 0, 1),
    answer(ANSWER.notPermitted),
    ...rules.flatMap((rule) => compileRule(rule, machine.numbers[rule.call])),
    jump(CODE.above, newest, 0, 1),
    answer(ANSWER.notImplemented),
    answer(ANSWER.notPermitted),
  ];
}

/** struct sock_filter, one after another. */
export function encodeInstructions(instructions: readonly Instruction[]): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(instructions.length * INSTRUCTION_BYTES);
  const view = new DataView(bytes.buffer);
  for (const [i, { code, whenTrue, whenFalse, value }] of instructions.entries()) {
    view.setUint16(i * INSTRUCTION_BYTES, code, true);
    view.setUint8(i * INSTRUCTION_BYTES + 2, whenTrue);
    view.setUint8(i * INSTRUCTION_BYTES + 3, whenFalse);
    view.setUint32(i * INSTRUCTION_BYTES + 4, value, true);
  }
  return bytes;
}

// --- internal ---

const INSTRUCTION_BYTES = 8;

/** Numbers of the x32 ABI on x86-64 have this bit; no number of arm64 comes near. */
const X32_BIT = 0x40000000;

/** Distances in a jump have eight bits. */
const JUMP_MAX = 255;

function compileRule(rule: Rule, number: number | undefined): Instruction[] {
  if (number === undefined) return [];
  const block = compileVerdict(rule.verdict);
  if (block.length > JUMP_MAX) throw new Error(`the rule for ${rule.call} is too long for a jump`);
  return [jump(CODE.equal, number, 0, block.length), ...block];
}

/** Always ends in an answer, so that the number needs no second load. */
function compileVerdict(verdict: Rule["verdict"]): Instruction[] {
  if (verdict === "allow") return [answer(ANSWER.allow)];
  if (verdict === "absent") return [answer(ANSWER.notImplemented)];
  return [...verdict.flatMap(compileClause), answer(ANSWER.notPermitted)];
}

function compileClause(clause: Clause): Instruction[] {
  const steps = [...clause.flatMap(compileTest), answer(ANSWER.allow)];
  return steps.map((step, i) =>
    step.code === CODE.equal ? { ...step, whenFalse: steps.length - i - 1 } : step,
  );
}

/** Where a comparison fails, compileClause lets it jump over the rest of the clause. */
function compileTest({ argument, equals, width, mask }: ArgumentTest): Instruction[] {
  const low = DATA.arguments + 8 * argument;
  const lower = [
    load(low),
    ...(mask === undefined ? [] : [jump(CODE.and, mask, 0, 0)]),
    jump(CODE.equal, equals >>> 0, 0, 0),
  ];
  return width === "int" ? lower : [load(low + 4), jump(CODE.equal, 0, 0, 0), ...lower];
}

function load(offset: number): Instruction {
  return { code: CODE.load, whenTrue: 0, whenFalse: 0, value: offset };
}

function jump(code: number, value: number, whenTrue: number, whenFalse: number): Instruction {
  return { code, whenTrue, whenFalse, value };
}

function answer(value: number): Instruction {
  return { code: CODE.answer, whenTrue: 0, whenFalse: 0, value };
}
