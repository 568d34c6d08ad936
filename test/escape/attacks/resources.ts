/** Against the machine: time, memory, messages, timers. The daemon must go on, and the plugin gets its named end. */
import { inFiles, inHook, type Attack } from "./attack.ts";

const timeout = { code: "plugin.timeout" };
const short = { deadlineMs: 100 };

export const RESOURCES: readonly Attack[] = [
  inHook("run for ever", `for (;;);`, timeout, short),
  inHook(
    "run for ever behind catches",
    `const f = () => { try { for (;;); } finally { f() } }; f()`,
    timeout,
    short,
  ),
  inHook(
    "run for ever inside a callback of a host function",
    `new URL({ toString() { for (;;); } })`,
    timeout,
    short,
  ),
  inHook("run for ever in a getter of its answer", `return { get x() { for (;;); } }`, timeout, short),
  inHook(
    "run for ever in a listener of its signal",
    `const c = new AbortController(); c.signal.onabort = () => { for (;;); }; c.abort()`,
    timeout,
    short,
  ),
  inHook(
    "run for ever in a finalizer",
    `new FinalizationRegistry(() => { for (;;); }).register({}, 1); for (let i = 0; i < 1e9; i++) ({ i })`,
    timeout,
    short,
  ),
  inHook("match a catastrophic regex", `/(x+x+)+y/.test("x".repeat(60))`, timeout, short),
  inHook("never settle", `await new Promise(() => {})`, timeout, short),
  inHook(
    "flood microtasks",
    `(function f() { queueMicrotask(f) })(); await new Promise(() => {})`,
    timeout,
    short,
  ),
  inHook(
    "flood calls that are refused",
    `for (;;) ctx.kv.get("k").catch(() => {})`,
    { ...timeout, calls: ["kv.get"] },
    short,
  ),
  inHook("flood log lines for ever", `for (;;) console.log("x".repeat(100))`, timeout, short),
  inHook(
    "grow memory",
    `const keep = []; for (;;) keep.push(new Float64Array(1e5))`,
    { code: "plugin.out_of_memory" },
    { deadlineMs: 5000 },
  ),
  inHook(
    "answer with 100 MB",
    `return "x".repeat(1e8)`,
    { code: "plugin.out_of_memory" },
    { deadlineMs: 5000 },
  ),
  inHook(
    "answer with more than a message",
    `return "x".repeat(9e6)`,
    { code: "plugin.protocol", words: "at most 8 MiB" },
    { deadlineMs: 10_000 },
  ),
  inHook(
    "answer with a bomb of brackets",
    `return Array.from({ length: 300000 }, () => [])`,
    { code: "plugin.protocol", words: "values" },
    { deadlineMs: 10_000 },
  ),
  inHook("overflow the stack", `(function f() { f() })()`, {
    code: "plugin.failed",
    words: "stack overflow",
  }),
  inHook(
    "overflow the parser",
    `JSON.parse("[".repeat(1e5)); (0, eval)("(".repeat(1e5))`,
    { code: "plugin.failed" },
    { deadlineMs: 5000 },
  ),
  inHook("start a hundred thousand timers", `for (let i = 0; i < 1e5; i++) setInterval(() => {}, 0)`, {
    code: "plugin.failed",
    words: "1000 timers",
  }),
  inHook(
    "give timers ids and times that are none",
    `for (const ms of [-1, NaN, Infinity, 1e300, "x", {}]) clearTimeout(setTimeout(() => {}, ms)); clearTimeout({ valueOf: () => 1 }); clearInterval("__proto__"); clearTimeout("constructor"); return 1`,
    { code: "ok", answer: 1 },
  ),
  inHook(
    "spend the host's time on a host name of combining marks",
    `new URL("http://a" + "\\u0301\\u0323".repeat(100_000))`,
    { code: "plugin.failed", words: "Invalid URL" },
  ),
  inHook(
    "send more bytes than a message may have, and then some that it may",
    `await ctx.kv.set("k", new Uint8Array(9e6)).catch(() => {}); await ctx.kv.set("k", new Uint8Array(3)); return 1`,
    { code: "ok", answer: 1, calls: ["kv.set"] },
  ),
  inHook("use WebAssembly and Atomics", `return [typeof WebAssembly, typeof Atomics]`, {
    code: "ok",
    answer: ["undefined", "undefined"],
  }),
  inHook(
    "share memory with the host",
    `const b = new SharedArrayBuffer(8); await ctx.kv.set("k", b).catch(() => {}); return typeof b`,
    { code: "ok", answer: "object", calls: ["kv.set"] },
  ),
  inFiles(
    "throw at load",
    { "index.js": `throw new Error("no"); export default {};` },
    { code: "plugin.load_failed", words: "no" },
  ),
  inFiles(
    "run for ever at load",
    { "index.js": `for (;;); export default {};` },
    { code: "plugin.load_failed" },
    short,
  ),
  inFiles(
    "have a default export that is a trap",
    { "index.js": `export default new Proxy({}, { get() { throw new Error("trap") } });` },
    { code: "plugin.load_failed", words: "trap" },
  ),
  inFiles(
    "export a then",
    { "index.js": `export const then = (ok) => { for (;;); }; export default {};` },
    { code: "plugin.no_hook" },
  ),
];
