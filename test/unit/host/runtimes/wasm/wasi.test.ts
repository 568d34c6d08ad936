/** WASI preview 1 without authority: what it gives, what it refuses, and that no pointer leads out of the module's memory. */
import { describe, expect, test } from "bun:test";
import { LIMITS } from "../../../../../src/base/limits.ts";
import { GuestRefusal, GuestThrown } from "../../../../../src/host/runtimes/wasm/guest-errors.ts";
import { WASI_SIGNATURES } from "../../../../../src/host/runtimes/wasm/wasi-signatures.ts";
import { makeWasi } from "../../../../../src/host/runtimes/wasm/wasi.ts";
import { rejection } from "../../../../fixtures/rejection.ts";
import { openGuest } from "./guest.ts";
import { hookModule, wat } from "./wat.ts";

const BAD_DESCRIPTOR = 8;
const INVALID = 28;
const PAGE = 65_536;

interface TestWasi {
  readonly call: (name: string, ...args: (number | bigint)[]) => number;
  readonly memory: DataView;
  readonly bytes: Uint8Array;
  readonly lines: string[];
  readonly flush: () => void;
}

function open(): TestWasi {
  const lines: string[] = [];
  const wasi = makeWasi("sample", (level, text) => void lines.push(`${level} ${text}`));
  const memory = new WebAssembly.Memory({ initial: 1 });
  wasi.connect(memory);
  return {
    call(name, ...args) {
      const run = wasi.offers[name]?.run as ((...args: (number | bigint)[]) => number) | undefined;
      if (run === undefined) throw new Error(`there is no ${name}`);
      return run(...args);
    },
    memory: new DataView(memory.buffer),
    bytes: new Uint8Array(memory.buffer),
    lines,
    flush: () => wasi.flush(),
  };
}

/** Puts the texts into the memory, with a vector for each, and writes them. */
function write({ call, memory, bytes }: TestWasi, fd: number, ...texts: readonly string[]): number {
  let at = 1000;
  for (const [i, text] of texts.entries()) {
    const { written } = new TextEncoder().encodeInto(text, bytes.subarray(at));
    memory.setUint32(i * 8, at, true);
    memory.setUint32(i * 8 + 4, written, true);
    at += written;
  }
  return call("fd_write", fd, 0, texts.length, 900);
}

describe("the world of a module", () => {
  test("has one argument, the plugin's name, and no environment", () => {
    const { call, memory, bytes } = open();
    expect(call("args_sizes_get", 0, 4)).toBe(0);
    expect([memory.getUint32(0, true), memory.getUint32(4, true)]).toEqual([1, 7]);
    expect(call("args_get", 0, 100)).toBe(0);
    expect(new TextDecoder().decode(bytes.subarray(100, 107))).toBe("sample\0");
    expect(call("environ_sizes_get", 0, 4)).toBe(0);
    expect([memory.getUint32(0, true), memory.getUint32(4, true)]).toEqual([0, 0]);
    expect(call("environ_get", 0, 4)).toBe(0);
  });

  test("has an empty stdin, and no other descriptor but the two that it writes to", () => {
    const { call, memory } = open();
    memory.setUint32(0, 100, true);
    memory.setUint32(4, 50, true);
    memory.setUint32(900, 77, true);
    expect(call("fd_read", 0, 0, 1, 900)).toBe(0);
    expect(memory.getUint32(900, true)).toBe(0);
    for (const fd of [1, 2, 3, 4, 99, -1, 2 ** 31 - 1])
      expect(call("fd_read", fd, 0, 1, 900)).toBe(BAD_DESCRIPTOR);
    for (const fd of [0, 3, 4, -1]) expect(call("fd_write", fd, 0, 1, 900)).toBe(BAD_DESCRIPTOR);
    for (const fd of [0, 1, 2]) {
      expect(call("fd_fdstat_get", fd, 200)).toBe(0);
      expect(memory.getUint8(200)).toBe(2);
    }
    expect(call("fd_fdstat_get", 3, 200)).toBe(BAD_DESCRIPTOR);
  });

  test("has no folder: nothing can be opened, made, read, moved or removed", () => {
    const { call, bytes } = open();
    expect(call("fd_prestat_get", 3, 0)).toBe(BAD_DESCRIPTOR);
    const { written: n } = new TextEncoder().encodeInto("../etc/passwd", bytes.subarray(500));
    for (const fd of [0, 1, 2, 3, 4, -100]) {
      expect(call("path_open", fd, 0, 500, n, 0, 0n, 0n, 0, 900)).not.toBe(0);
      expect(call("path_create_directory", fd, 500, n)).not.toBe(0);
      expect(call("path_filestat_get", fd, 0, 500, n, 900)).not.toBe(0);
      expect(call("path_link", fd, 0, 500, n, fd, 500, n)).not.toBe(0);
      expect(call("path_readlink", fd, 500, n, 600, 100, 900)).not.toBe(0);
      expect(call("path_remove_directory", fd, 500, n)).not.toBe(0);
      expect(call("path_rename", fd, 500, n, fd, 500, n)).not.toBe(0);
      expect(call("path_symlink", 500, n, fd, 500, n)).not.toBe(0);
      expect(call("path_unlink_file", fd, 500, n)).not.toBe(0);
      expect(call("fd_readdir", fd, 600, 100, 0n, 900)).not.toBe(0);
      expect(call("fd_allocate", fd, 0n, 2n ** 40n)).not.toBe(0);
      expect(call("fd_filestat_set_size", fd, 2n ** 40n)).not.toBe(0);
    }
  });

  test("has no sockets and no signals", () => {
    const { call } = open();
    expect(call("sock_accept", 3, 0, 0)).not.toBe(0);
    expect(call("sock_recv", 1, 0, 1, 0, 0, 0)).not.toBe(0);
    expect(call("sock_send", 1, 0, 1, 0, 0)).not.toBe(0);
    expect(call("sock_shutdown", 1, 0)).not.toBe(0);
    expect(() => call("proc_raise", 9)).toThrow("raised the signal 9");
  });

  test("has clocks and random bytes", () => {
    const { call, memory, bytes } = open();
    const before = BigInt(Date.now()) * 1_000_000n;
    expect(call("clock_time_get", 0, 0n, 0)).toBe(0);
    expect(memory.getBigUint64(0, true)).toBeGreaterThanOrEqual(before);
    expect(call("clock_time_get", 1, 0n, 0)).toBe(0);
    const first = memory.getBigUint64(0, true);
    expect(call("clock_time_get", 1, 0n, 0)).toBe(0);
    expect(memory.getBigUint64(0, true)).toBeGreaterThanOrEqual(first);
    expect(call("clock_res_get", 1, 0)).toBe(0);
    expect(call("random_get", 0, PAGE)).toBe(0);
    expect(new Set(bytes).size).toBe(256);
    expect(call("random_get", PAGE, 0)).toBe(0);
    expect(call("sched_yield")).toBe(0);
  });
});

describe("what is written goes to the log", () => {
  test("line by line, stdout as information and stderr as a warning", () => {
    const wasi = open();
    expect(write(wasi, 1, "one\ntw", "o\n", "", "three")).toBe(0);
    expect(wasi.memory.getUint32(900, true)).toBe("one\ntwo\nthree".length);
    expect(write(wasi, 2, "panic: 🚀\r\n\n")).toBe(0);
    expect(wasi.lines).toEqual(["info one", "info two", "warn panic: 🚀"]);
    wasi.flush();
    expect(wasi.lines.at(-1)).toBe("info three");
  });

  test("a character may come in two halves", () => {
    const wasi = open();
    const [bytes, place] = [new TextEncoder().encode("🚀\n"), wasi.bytes.subarray(2000)];
    place.set(bytes);
    for (const [at, length] of [
      [2000, 2],
      [2002, 3],
    ] as const) {
      wasi.memory.setUint32(0, at, true);
      wasi.memory.setUint32(4, length, true);
      expect(wasi.call("fd_write", 1, 0, 1, 900)).toBe(0);
    }
    expect(wasi.lines).toEqual(["info 🚀"]);
  });

  test("a line without an end comes in pieces, and does not pile up", () => {
    const wasi = open();
    const long = "x".repeat(3 * LIMITS.logTextChars + 5);
    expect(write(wasi, 1, long, "\n")).toBe(0);
    expect(wasi.lines.map((line) => line.length - "info ".length)).toEqual([
      LIMITS.logTextChars,
      LIMITS.logTextChars,
      LIMITS.logTextChars,
      5,
    ]);
  });

  test("not any more where the descriptor was closed", () => {
    const wasi = open();
    expect(wasi.call("fd_close", 1)).toBe(0);
    expect(write(wasi, 1, "late\n")).toBe(BAD_DESCRIPTOR);
    expect(wasi.call("fd_close", 1)).toBe(BAD_DESCRIPTOR);
    expect(write(wasi, 2, "there\n")).toBe(0);
    expect(wasi.lines).toEqual(["warn there"]);
  });

  test("from no more buffers than there may be", () => {
    const { call } = open();
    expect(call("fd_write", 1, 0, LIMITS.wasiVectors + 1, 900)).toBe(INVALID);
    expect(call("fd_write", 1, 0, -1, 900)).toBe(INVALID);
    expect(call("fd_write", 1, 0, 0, 900)).toBe(0);
  });
});

describe("waiting", () => {
  const subscribe = (
    { memory }: TestWasi,
    at: number,
    { kind = 0, clock = 1, ns = 0n, flags = 0, userdata = 7n },
  ) => {
    memory.setBigUint64(at, userdata, true);
    memory.setUint8(at + 8, kind);
    memory.setUint32(at + 16, clock, true);
    memory.setBigUint64(at + 24, ns, true);
    memory.setUint16(at + 40, flags, true);
  };

  test("for a time takes that time and no processor", () => {
    const wasi = open();
    subscribe(wasi, 0, { ns: 500_000_000n });
    const [start, cpu] = [performance.now(), process.cpuUsage()];
    expect(wasi.call("poll_oneoff", 0, 500, 1, 900)).toBe(0);
    const used = process.cpuUsage(cpu);
    expect(performance.now() - start).toBeGreaterThanOrEqual(499);
    // What collects garbage beside it works too; who waits by looking again and again would take all of the time.
    expect((used.user + used.system) / 1000).toBeLessThan(300);
    expect(wasi.memory.getUint32(900, true)).toBe(1);
    expect(wasi.memory.getBigUint64(500, true)).toBe(7n);
    expect(wasi.memory.getUint16(508, true)).toBe(0);
  });

  test("until a time that is past, or for several things, gives what comes first", () => {
    const wasi = open();
    subscribe(wasi, 0, { clock: 0, ns: 1n, flags: 1, userdata: 1n });
    expect(wasi.call("poll_oneoff", 0, 500, 1, 900)).toBe(0);
    subscribe(wasi, 0, { ns: 3_600_000_000_000n, userdata: 2n });
    subscribe(wasi, 48, { kind: 1, clock: 0, userdata: 3n });
    subscribe(wasi, 96, { kind: 2, clock: 9, userdata: 4n });
    expect(wasi.call("poll_oneoff", 0, 500, 3, 900)).toBe(0);
    expect(wasi.memory.getUint32(900, true)).toBe(2);
    expect([wasi.memory.getBigUint64(500, true), wasi.memory.getBigUint64(532, true)]).toEqual([3n, 4n]);
    expect([wasi.memory.getUint16(508, true), wasi.memory.getUint16(540, true)]).toEqual([0, BAD_DESCRIPTOR]);
  });

  test("for nothing, or for too much, is refused", () => {
    const { call } = open();
    for (const count of [0, -1, LIMITS.wasiVectors + 1])
      expect(call("poll_oneoff", 0, 500, count, 900)).toBe(INVALID);
  });

  test("with a pointer that leads nowhere is a fault, and takes no time", () => {
    const wasi = open();
    subscribe(wasi, 0, { ns: 3_600_000_000_000n });
    expect(() => wasi.call("poll_oneoff", 0, PAGE, 1, 900)).toThrow(
      "poll_oneoff of WASI was given a pointer",
    );
    expect(() => wasi.call("poll_oneoff", 0, 500, 1, -4)).toThrow("poll_oneoff of WASI was given a pointer");
  });
});

describe("no pointer leads out of the memory", () => {
  const COUNTS = [1, 2 ** 31 - 1, -1];
  const wild = [-1, -8, PAGE - 1, PAGE, PAGE + 8, 2 ** 31 - 1, -(2 ** 31)];

  for (const [name, type] of Object.entries(WASI_SIGNATURES))
    test(`${name} with wild values gives a number or a fault, and nothing else`, () => {
      const params = [...(type.split(">")[0] ?? "")];
      for (const fd of [0, 1, 2, 3]) {
        const wasi = open();
        wasi.bytes.fill(0xee);
        for (const [value, count] of wild.flatMap((value) =>
          COUNTS.map((count) => [value, count] as const),
        )) {
          const args = params.map((letter, i) => {
            if (letter === "I") return BigInt(value);
            if (i === 0 && name !== "poll_oneoff") return fd;
            return i % 2 === 1 ? value : count;
          });
          try {
            expect(typeof wasi.call(name, ...args)).toBe("number");
          } catch (error) {
            expect(String(error)).toMatch(
              /^(HostFault: (\w+ of WASI was given|the module raised)|Error: exit with)/,
            );
          }
        }
      }
    });

  test("a vector that leads out of it is a fault", () => {
    const { call, memory } = open();
    for (const [at, length] of [
      [PAGE - 1, 2],
      [0, PAGE + 1],
      [0xffff_fff0, 16],
      [16, 0xffff_ffff],
    ] as const) {
      memory.setUint32(0, at, true);
      memory.setUint32(4, length, true);
      expect(() => call("fd_write", 1, 0, 1, 900)).toThrow(
        "fd_write of WASI was given a pointer or a length",
      );
    }
  });

  test("random bytes beyond it are a fault, and none are written", () => {
    const { call, bytes } = open();
    for (const [at, length] of [
      [PAGE - 4, 8],
      [-4, 4],
      [0, -1],
    ] as const)
      expect(() => call("random_get", at, length)).toThrow("random_get of WASI");
    expect(new Set(bytes)).toEqual(new Set([0]));
  });
});

describe("in a module", () => {
  const EXIT = '(import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))';
  const WRITE =
    '(import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))';

  test("an exit ends the call with an error, and not the guest", async () => {
    const { run } = await openGuest(
      hookModule(
        "(if (i64.eq (call $input_length) (i64.const 2)) (then (call $exit (i32.const 3)))) (i32.const 0)",
        {
          imports: EXIT,
        },
      ),
    );
    const error = await rejection(run(12));
    expect(error).toBeInstanceOf(GuestThrown);
    expect(error).toMatchObject({
      name: "Error",
      message: "the module ended itself with exit(3); what it wrote before is in the plugin's log",
    });
    expect(await run()).toBeNull();
  });

  test("what was written without an end of line is in the log when the call is over, well or badly", async () => {
    const code = hookModule(
      `(i32.store (i32.const 100) (i32.const 0)) (i32.store (i32.const 104) (i32.const 5))
       (drop (call $write (i32.const 1) (i32.const 100) (i32.const 1) (i32.const 200)))
       (if (i64.eq (call $input_length) (i64.const 2)) (then unreachable))
       (i32.const 0)`,
      { imports: WRITE, data: "hello" },
    );
    const { run, lines } = await openGuest(code);
    await run();
    await rejection(run(12));
    expect(lines).toEqual([
      { level: "info", text: "hello" },
      { level: "info", text: "hello" },
    ]);
  });

  test("so is what an _initialize wrote that failed", async () => {
    const code = wat(
      `(module ${WRITE} ${EXIT} (memory (export "memory") 1) (data (i32.const 0) "hello") (func (export "on_alert"))
        (func (export "_initialize")
          (i32.store (i32.const 100) (i32.const 0)) (i32.store (i32.const 104) (i32.const 5))
          (drop (call $write (i32.const 2) (i32.const 100) (i32.const 1) (i32.const 200)))
          (call $exit (i32.const 3))))`,
    );
    const lines: unknown[] = [];
    const error = await rejection(openGuest(code, { log: (level, text) => void lines.push([level, text]) }));
    expect((error as Error).message).toContain("_initialize failed: the module ended itself with exit(3)");
    expect(lines).toEqual([["warn", "hello"]]);
  });

  test("a start function that asks too early is told of it", async () => {
    const code = wat(
      `(module ${EXIT} (memory (export "memory") 1) (start $f) (func $f (call $exit (i32.const 0))))`,
    );
    const error = await rejection(openGuest(code));
    expect(error).toBeInstanceOf(GuestRefusal);
    expect((error as Error).message).toBe(
      "the module can't be started: proc_exit of WASI was called before the module was there; do in _initialize what its start function does",
    );
  });

  test("without a memory of that name WASI is no use", async () => {
    for (const memory of ["", '(memory (export "mem") 1)', '(global (export "memory") i32 (i32.const 0))']) {
      const error = await rejection(openGuest(wat(`(module ${EXIT} ${memory} (func (export "on_alert")))`)));
      expect((error as Error).message).toBe('the module uses WASI and exports no memory called "memory"');
    }
  });

  test("AssemblyScript's abort says what was thrown, and where; a wild pointer says nothing", async () => {
    const imports = '(import "env" "abort" (func $abort (param i32 i32 i32 i32)))';
    const data = String.raw`\06\00\00\00b\00a\00d\00\00\00\08\00\00\00a\00.\00t\00s\00`;
    const aborting = (message: number, file: number) =>
      hookModule(
        `(call $abort (i32.const ${message}) (i32.const ${file}) (i32.const 3) (i32.const 7)) (i32.const 0)`,
        {
          imports,
          data,
        },
      );
    const words = async (message: number, file: number) =>
      ((await rejection((await openGuest(aborting(message, file))).run())) as Error).message;
    expect(await words(4, 16)).toBe("bad (a.ts:3:7)");
    expect(await words(4, 0)).toBe("bad");
    expect(await words(-1, 2 ** 31 - 1)).toBe("abort");
    expect(await words(PAGE, PAGE - 1)).toBe("abort");
  });
});
