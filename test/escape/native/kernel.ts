/**
 * The kernel as hostile native code sees it: every system call by name or by number, with any argument. Made from bun:ffi, which is
 * passed in, so that a plugin that got hold of the module can be the one who makes it.
 */
import { errorName, Refused } from "./errors.ts";
import { machineCode } from "./machine-code.ts";
import { syscallNumber, type Syscall } from "./syscalls.ts";

type Ffi = Pick<typeof import("bun:ffi"), "CFunction" | "dlopen" | "ptr" | "toBuffer">;

/** Text becomes bytes that end with NUL; bytes become their address. */
export type Argument = number | bigint | string | NodeJS.TypedArray;

export interface Kernel {
  /** Throws Refused where the kernel says no. */
  readonly call: (name: Syscall, ...args: readonly Argument[]) => number;
  /** The same for a call that makes a process; the child ends at once. */
  readonly fork: (name: Syscall, ...args: readonly Argument[]) => number;
  /** The same for a call that makes a thread; it ends at once. */
  readonly thread: (name: Syscall, ...args: readonly Argument[]) => number;
  /** The same; it waits for ever. */
  readonly sleeper: (name: Syscall, ...args: readonly Argument[]) => number;
  /** The same; it never rests. */
  readonly spinner: (name: Syscall, ...args: readonly Argument[]) => number;
  /** By number, in the kernel's own answer. */
  readonly raw: (number: number, ...args: readonly Argument[]) => bigint;
  /** By the door for 32-bit programs; text and bytes are copied to where it can see them. */
  readonly call32: (number: number, ...args: readonly Argument[]) => number;
  /** The address of bytes that stay where they are. */
  readonly address: (bytes: NodeJS.TypedArray) => bigint;
  /** What a descriptor gives, to its end or to a megabyte. Closes it. */
  readonly readAll: (descriptor: number) => string;
  readonly bytesAt: (address: number, length: number) => Buffer;
}

export function makeKernel(ffi: Ffi): Kernel {
  const page = executablePage(ffi, 4096);
  const code = machineCode(process.arch);
  const call = load(ffi, page, 0, code.call);
  const fork = load(ffi, page, 256, code.fork);
  const thread = load(ffi, page, 512, code.thread);
  const sleeper = load(ffi, page, 768, code.sleeper);
  const spinner = load(ffi, page, 1024, code.spinner);
  const call32 = code.call32 === undefined ? undefined : load(ffi, page, 1280, code.call32);
  const low = () => ffi.toBuffer(pointer(mapLow()), 0, LOW_BYTES);
  let lowBytes: Buffer | undefined;

  /** What the kernel gets by address must not be collected before it answers. */
  let lent: NodeJS.TypedArray[] = [];
  const kept: NodeJS.TypedArray[] = [];

  function lend(bytes: NodeJS.TypedArray): bigint {
    lent.push(bytes);
    return BigInt(ffi.ptr(bytes));
  }

  function numbered(how: SystemCall, number: number, args: readonly Argument[]): bigint {
    const result = how(BigInt(number), ...sixArguments(args, lend));
    lent = [];
    return result;
  }

  const named = (how: SystemCall) => (name: Syscall, args: readonly Argument[]) =>
    answer(name, numbered(how, syscallNumber(name), args));

  const kernel: Kernel = {
    call: (name, ...args) => named(call)(name, args),
    fork: (name, ...args) => named(fork)(name, args),
    thread: (name, ...args) => named(thread)(name, args),
    sleeper: (name, ...args) => named(sleeper)(name, args),
    spinner: (name, ...args) => named(spinner)(name, args),
    raw: (number, ...args) => numbered(call, number, args),
    call32(number, ...args) {
      if (call32 === undefined) throw new Refused("ENOSYS", "there is no door for 32-bit programs");
      const bytes = (lowBytes ??= low());
      let used = 0;
      const place = (content: NodeJS.TypedArray) => {
        bytes.set(new Uint8Array(content.buffer, content.byteOffset, content.byteLength), used);
        const at = BigInt(ffi.ptr(bytes)) + BigInt(used);
        used += content.byteLength;
        return at;
      };
      return answer(`int 0x80 ${number}`, call32(BigInt(number), ...sixArguments(args, place)));
    },
    address(bytes) {
      kept.push(bytes);
      return BigInt(ffi.ptr(bytes));
    },
    readAll(descriptor) {
      const chunk = new Uint8Array(1024 * 1024);
      try {
        return Buffer.from(chunk.subarray(0, kernel.call("read", descriptor, chunk, chunk.length))).toString(
          "latin1",
        );
      } finally {
        kernel.raw(syscallNumber("close"), descriptor);
      }
    },
    bytesAt: (address, length) => ffi.toBuffer(pointer(address), 0, length),
  };

  function mapLow(): number {
    const [readWrite, privateAnonymousLow] = [3, 0x62];
    return kernel.call("mmap", 0, LOW_BYTES, readWrite, privateAnonymousLow, -1, 0);
  }
  return kernel;
}

// --- internal ---

type SystemCall = (...words: readonly bigint[]) => bigint;
type Pointer = import("bun:ffi").Pointer;

const LOW_BYTES = 64 * 1024;
const LIBC = ["libc.so.6", "libc.musl-x86_64.so.1", "libc.musl-aarch64.so.1"];

function executablePage(ffi: Ffi, bytes: number): number {
  const [readWriteExecute, privateAnonymous] = [7, 0x22];
  for (const name of LIBC) {
    try {
      const libc = ffi.dlopen(name, {
        mmap: { args: ["ptr", "u64", "i32", "i32", "i32", "i64"], returns: "i64" },
      });
      const address = Number(
        libc.symbols.mmap(null, BigInt(bytes), readWriteExecute, privateAnonymous, -1, 0n),
      );
      if (address > 0) return address;
    } catch {
      // Another system's libc.
    }
  }
  throw new Error("no libc, or no memory that can be executed");
}

function load(ffi: Ffi, page: number, offset: number, code: readonly number[]): SystemCall {
  ffi.toBuffer(pointer(page), 0, 4096).set(code, offset);
  return ffi.CFunction({
    ptr: pointer(page + offset),
    args: ["i64", "i64", "i64", "i64", "i64", "i64", "i64"],
    returns: "i64",
  }) as unknown as SystemCall;
}

function pointer(address: number): Pointer {
  return address as Pointer;
}

function sixArguments(
  args: readonly Argument[],
  place: (bytes: NodeJS.TypedArray) => bigint,
): readonly bigint[] {
  const words = args.map((argument) => {
    if (typeof argument === "bigint") return argument;
    if (typeof argument === "number") return BigInt(argument);
    return place(typeof argument === "string" ? Buffer.from(`${argument}\0`) : argument);
  });
  return [...words, ...Array.from({ length: 6 - words.length }, () => 0n)];
}

function answer(what: string, value: bigint): number {
  if (value < 0n && value > -4096n) throw new Refused(errorName(Number(-value)), what);
  return Number(value);
}
