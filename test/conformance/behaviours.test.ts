/**
 * What Extism's public test modules do, and what a hostile one would do with the functions that it is given: a module can break itself,
 * and nothing else. The programs are in test/wasm/assemblyscript/behaviours.ts.
 */
import { expect, test } from "bun:test";
import { ownModule } from "../wasm/modules.ts";
import { play } from "./play.ts";
import { wasmColumn } from "./rooms.ts";
import type { Expectation, Scenario } from "./scenario.ts";

const MODEST: readonly Scenario[] = [
  {
    name: "echoes",
    steps: [{ program: "echo Grüße 🚀", expect: { answer: "Grüße 🚀" } }],
  },
  {
    name: "counts vowels, and keeps the total in a variable",
    steps: [
      { program: "vowels Hello World", expect: { answer: { count: 3, total: 3, vowels: "aeiouAEIOU" } } },
      { program: "vowels aaa", expect: { answer: { count: 3, total: 6, vowels: "aeiouAEIOU" } } },
    ],
    calls: [
      { method: "kv.get", params: { key: "total" } },
      { method: "kv.set", params: { key: "total", value: "3" } },
      { method: "kv.get", params: { key: "total" } },
      { method: "kv.set", params: { key: "total", value: "6" } },
    ],
  },
  {
    name: "reads its configuration",
    steps: [
      { program: "config text", expect: { answer: "ops" } },
      { program: "config missing", expect: { answer: null } },
    ],
  },
  {
    name: "sets and gets a variable",
    steps: [
      { program: "var v", expect: { answer: null } },
      { program: "set v one", expect: { answer: null } },
      { program: "var v", expect: { answer: "one" } },
    ],
  },
  {
    name: "logs",
    steps: [{ program: "log all is well", expect: { answer: null } }],
    lines: [{ level: "info", text: "all is well" }],
  },
  {
    name: "fails with a text and a number",
    steps: [{ program: "error 7 no deploys on Friday", expect: failed(/^no deploys on Friday$/) }],
    newGuests: 0,
  },
  {
    name: "fails with a number alone, and the number is told",
    steps: [{ program: "return 3", expect: failed(/on_alert returned 3/) }],
    newGuests: 0,
  },
  {
    name: "fails with a text alone",
    steps: [{ program: "", hook: "on_backup_complete", expect: failed(/^an error, and yet 0$/) }],
    newGuests: 0,
  },
];

/** What it tries, and what comes of it: the words of its failure, or its answer. The next call works in every case. */
const HOSTILE: readonly (readonly [what: string, program: string, outcome: Expectation])[] = [
  ["executes unreachable", "trap", failed(/unreachable/)],
  ["divides by nought", "divide 0", failed(/divi|zero/i)],
  ["calls itself without an end", "recurse", failed(/stack|deep/i)],
  ["asks for more pages than there may be", "pages 1025", { answer: -1 }],
  ["asks for 4 GiB of pages", "pages 65535", { answer: -1 }],
  ["reads beyond its memory", "address 4000000000", failed(/out of bounds|memory/i)],
  ["allocates a terabyte", "alloc 1000000000000", failed(/a block of 931\.3 GiB.*64 MiB for all/)],
  ["allocates less than nothing", "alloc -1", failed(/64 MiB for all/)],
  ["allocates all blocks that there are", "blocks 70000", failed(/block/)],
  ["allocates 200 MiB in blocks", "leak 200", failed(/MiB/)],
  ["frees what it never had", "free 123456789", failed(/^free: .*in no block/)],
  ["frees an address that is none", "free -1", failed(/^free: .*in no block/)],
  ["asks for the length of nothing", "length 123456789", { answer: 0 }],
  ["reads a block that is none", "load 123456789", failed(/load/)],
  ["reads eight bytes of the last address", "load8 -1", failed(/load/)],
  ["writes to a block that is none", "store 123456789", failed(/store/)],
  ["writes to the last address", "store8 -1", failed(/store/)],
  ["writes far beyond its block", "beyond 100000000", failed(/store/)],
  ["says that its output has a gigabyte", "output 1000000000", failed(/output/)],
  ["says that its output is longer than its block", "output 4096", failed(/output/)],
  ["says that its output is where nothing is", "outputAt 123456789", failed(/output/)],
  ["says that its output has less than nothing", "output -1", failed(/output/)],
  ["says that its error is where nothing is", "errorAt 123456789", failed(/error_set/)],
  ["says that its log line is where nothing is", "logAt 123456789", failed(/log_info/)],
  ["asks the broker with what is no block", "ask 123456789", failed(/kv_get/)],
  ["keeps a variable of a mebibyte", "vars 1", failed(/256 KiB/)],
];

const ATTACKS: readonly Scenario[] = [
  ...HOSTILE.map(([what, program, outcome]): Scenario => ({
    name: what,
    steps: [
      { program, expect: outcome },
      { program: "echo goes on", expect: { answer: "goes on" } },
    ],
    newGuests: 0,
  })),
  {
    name: "loops without an end",
    steps: [
      { program: "loop", deadlineMs: 200, expect: { error: { code: "plugin.timeout" } } },
      { program: "echo goes on", expect: { answer: "goes on" } },
    ],
    newGuests: 1,
  },
  {
    name: "takes all the pages that it gets, which are no more than 64 MiB",
    fresh: true,
    steps: [{ program: "fill 5000", expect: { answer: { pages: 1024 } } }],
  },
  {
    name: "writes more lines than are kept",
    steps: [
      { program: "logs 3000", expect: { answer: "done" } },
      { program: "echo goes on", expect: { answer: "goes on" } },
    ],
    newGuests: 0,
  },
  {
    name: "writes a line of a mebibyte",
    steps: [{ program: "logBig 1048576", expect: { answer: "done" } }],
    lines: [{ level: "info", text: expect.stringMatching(/^x{8191}.$/) }],
  },
];

play(await wasmColumn("behaviours"), [...MODEST, ...ATTACKS]);

play(await wasmColumn("table-bomb"), [
  {
    name: "can't grow its tables",
    steps: [{ program: "", expect: { answer: 0 } }],
    newGuests: 0,
  },
]);

test("control: without the caps the same module gets more than 64 MiB", async () => {
  const module = await WebAssembly.compile(await ownModule("behaviours"));
  const imports: Record<string, Record<string, () => bigint>> = {};
  for (const { module: space, name } of WebAssembly.Module.imports(module))
    (imports[space] ??= {})[name] = () => 0n;
  const { memory } = (await WebAssembly.instantiate(module, imports)).exports as {
    memory: WebAssembly.Memory;
  };
  memory.grow(2048);
  expect(memory.buffer.byteLength).toBeGreaterThan(128 * 1024 * 1024);
});

function failed(message: RegExp): Expectation {
  return { error: { code: "plugin.failed", message } };
}
