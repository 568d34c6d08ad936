/**
 * The few instructions by which an attacker speaks to the kernel itself, past libc: a plain system call, one after whose return the
 * child ends at once (a JavaScript engine does not survive a fork), and on x86-64 the door for 32-bit programs.
 */

export interface MachineCode {
  /** (number, six arguments) → the kernel's answer, negative where it is an error. */
  readonly call: readonly number[];
  /** The same; what comes back with 0 ends its process with status 7. */
  readonly fork: readonly number[];
  /** The same; what comes back with 0 ends its thread. */
  readonly thread: readonly number[];
  /** The same; what comes back with 0 waits for ever. */
  readonly sleeper: readonly number[];
  /** The same; what comes back with 0 never rests. */
  readonly spinner: readonly number[];
  /** (number, five arguments) by `int 0x80`. */
  readonly call32?: readonly number[];
}

export function machineCode(architecture: string): MachineCode {
  const code = CODES[architecture];
  if (code === undefined) throw new Error(`no machine code for ${architecture}`);
  return code;
}

// --- internal ---

/** From the C calling convention into the kernel's: everything moves one place down. */
const X64_CALL = hex(
  "48 89 f8", // mov rax, rdi
  "48 89 f7", // mov rdi, rsi
  "48 89 d6", // mov rsi, rdx
  "48 89 ca", // mov rdx, rcx
  "4d 89 c2", // mov r10, r8
  "4d 89 c8", // mov r8, r9
  "4c 8b 4c 24 08", // mov r9, [rsp+8]
  "0f 05", // syscall
);
const X64_RETURN = hex("c3");

/** The caller returns; the child goes on with what follows. */
const X64_PART = hex(
  "48 85 c0", // test rax, rax
  "74 01 c3", // jz over the ret
);

const X64_CALL_32 = hex(
  "53", // push rbx
  "48 89 f8", // mov rax, rdi
  "48 89 f3", // mov rbx, rsi
  "49 89 d2", // mov r10, rdx
  "48 89 ca", // mov rdx, rcx
  "4c 89 d1", // mov rcx, r10
  "4c 89 c6", // mov rsi, r8
  "4c 89 cf", // mov rdi, r9
  "cd 80", // int 0x80
  "48 98", // cdqe
  "5b", // pop rbx
  "c3", // ret
);

function x64End(number: number): number[] {
  return hex(
    "bf 07 00 00 00", // mov edi, 7
    `b8 ${number.toString(16)} 00 00 00`, // mov eax, number
    "0f 05", // syscall
  );
}

const X64_SLEEP = hex(
  "b8 07 00 00 00", // mov eax, 7 (poll)
  "31 ff", // xor edi, edi
  "31 f6", // xor esi, esi
  "ba ff ff ff ff", // mov edx, -1
  "0f 05", // syscall
  "eb ee", // jmp to the first mov
);
const X64_SPIN = hex("eb fe");

const ARM64_CALL = words(
  0xaa0003e8, // mov x8, x0
  0xaa0103e0, // mov x0, x1
  0xaa0203e1, // mov x1, x2
  0xaa0303e2, // mov x2, x3
  0xaa0403e3, // mov x3, x4
  0xaa0503e4, // mov x4, x5
  0xaa0603e5, // mov x5, x6
  0xd4000001, // svc #0
);
const ARM64_RETURN = words(0xd65f03c0);

const ARM64_PART = words(
  0xb4000040, // cbz x0, over the ret
  0xd65f03c0, // ret
);

function arm64End(number: number): number[] {
  return words(
    0xd28000e0, // mov x0, #7
    (0xd2800008 | (number << 5)) >>> 0, // mov x8, #number
    0xd4000001, // svc #0
  );
}

const ARM64_SLEEP = words(
  0xd2800000, // mov x0, #0
  0xd2800001, // mov x1, #0
  0xd2800002, // mov x2, #0
  0xd2800003, // mov x3, #0
  0xd2800928, // mov x8, #73 (ppoll)
  0xd4000001, // svc #0
  0x17fffffa, // b to the first
);
const ARM64_SPIN = words(0x14000000);

/** exit_group and exit, by architecture. */
const END = { x64: { process: 231, thread: 60 }, arm64: { process: 94, thread: 93 } } as const;

const CODES: Readonly<Record<string, MachineCode>> = {
  x64: {
    call: [...X64_CALL, ...X64_RETURN],
    fork: [...X64_CALL, ...X64_PART, ...x64End(END.x64.process)],
    thread: [...X64_CALL, ...X64_PART, ...x64End(END.x64.thread)],
    sleeper: [...X64_CALL, ...X64_PART, ...X64_SLEEP],
    spinner: [...X64_CALL, ...X64_PART, ...X64_SPIN],
    call32: X64_CALL_32,
  },
  arm64: {
    call: [...ARM64_CALL, ...ARM64_RETURN],
    fork: [...ARM64_CALL, ...ARM64_PART, ...arm64End(END.arm64.process)],
    thread: [...ARM64_CALL, ...ARM64_PART, ...arm64End(END.arm64.thread)],
    sleeper: [...ARM64_CALL, ...ARM64_PART, ...ARM64_SLEEP],
    spinner: [...ARM64_CALL, ...ARM64_PART, ...ARM64_SPIN],
  },
};

function hex(...lines: readonly string[]): number[] {
  return [...Buffer.from(lines.join("").replaceAll(" ", ""), "hex")];
}

/** Little-endian. */
function words(...all: readonly number[]): number[] {
  return all.flatMap((word) => [word & 0xff, (word >> 8) & 0xff, (word >> 16) & 0xff, (word >>> 24) & 0xff]);
}
