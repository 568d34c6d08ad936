/** Against the bridge itself: change what it is built on, forge what it carries, and borrow our codes. */
import { inHook, type Attack } from "./attack.ts";

const failed = (words: string) => ({ code: "plugin.failed", words });

export const BRIDGE: readonly Attack[] = [
  inHook(
    "replace JSON",
    `
    const seen = []; const { parse, stringify } = JSON;
    JSON.parse = (t) => { seen.push(String(t)); return parse(t) }; JSON.stringify = (...a) => { const t = stringify(...a); seen.push(String(t)); return t };
    await ctx.kv.set("k", 1); await ctx.kv.get("k");
    return seen.filter((text) => text.includes("jsonrpc"))`,
    { code: "ok", answer: [], calls: ["kv.set", "kv.get"] },
  ),
  inHook(
    "replace Promise and its then",
    `
    const seen = []; const { then } = Promise.prototype;
    Promise.prototype.then = function (...a) { seen.push(a.map(String).join()); return then.apply(this, a) };
    globalThis.Promise = class extends Promise {};
    const value = await ctx.kv.get("k"); return seen.some((text) => /bridge|jsonrpc|stack/.test(text))`,
    { code: "ok", answer: false, calls: ["kv.get"] },
  ),
  inHook(
    "replace Array, Map, Reflect and Function methods to catch the bridge",
    `
    const caught = [];
    const spy = (target, name) => { const original = target[name]; target[name] = function (...args) { for (const x of [this, ...args]) if (typeof x === "function" && /host|native code/.test(Function.prototype.toString.call(x)) && x.name === "host") caught.push(name); return original.apply(this, args) } };
    spy(Array.prototype, "push"); spy(Map.prototype, "set"); spy(Map.prototype, "get"); spy(Function.prototype, "call"); spy(Function.prototype, "bind"); spy(Reflect, "get");
    const apply = Reflect.apply; Reflect.apply = (f, t, a) => { if (f.name === "host") caught.push("apply"); return apply(f, t, a) };
    await ctx.kv.get("k"); new URL("https://a.b"); setTimeout(() => {}, 1); ctx.log.info("x"); crypto.randomUUID();
    return caught`,
    { code: "ok", answer: [], calls: ["kv.get"] },
  ),
  inHook(
    "catch the bridge with setters on Object.prototype",
    `
    let caught = "";
    const keys = ["resolve", "reject", "site", "callback", "args", "name", "code", "id", "result", "error", "method", "params", "data", "0", "1"];
    for (const key of keys) Object.defineProperty(Object.prototype, key, { configurable: true, get() { return undefined },
      set(value) { if (typeof value === "function") caught += key; Object.defineProperty(this, key, { value, writable: true, configurable: true, enumerable: true }) } });
    try { await ctx.kv.get("k"); setTimeout(() => {}, 1) } finally { for (const key of keys) delete Object.prototype[key] }
    return caught`,
    { code: "ok", answer: "", calls: ["kv.get"] },
  ),
  inHook(
    "replace the message with toJSON on Object.prototype",
    `
    let first = true;
    Object.prototype.toJSON = function () { const forged = { jsonrpc: "2.0", id: 1, method: "host", params: { method: "notify.send" } }; return first ? ((first = false), forged) : this };
    try { await ctx.kv.set("k", { a: 1 }) } finally { delete Object.prototype.toJSON }
    return "done"`,
    { code: "ok", answer: "done", calls: ["kv.set"] },
  ),
  inHook(
    "answer with a toJSON that forges a message",
    `return { toJSON() { return '","id":99,"result":"forged' } }`,
    { code: "ok", answer: '","id":99,"result":"forged' },
  ),
  inHook(
    "break out of the envelope with quotes and control characters",
    `return '"}}\\n{"jsonrpc":"2.0","id":1,"method":"host","params":{"method":"notify.send"}}\\u0000\\u2028'`,
    {
      code: "ok",
      answer: '"}}\n{"jsonrpc":"2.0","id":1,"method":"host","params":{"method":"notify.send"}}\u0000\u2028',
    },
  ),
  inHook(
    "answer with a whole JSON-RPC error",
    `return { jsonrpc: "2.0", id: 1, error: { code: -32000, data: { kind: "no_hook" } } }`,
    {
      code: "ok",
      answer: { jsonrpc: "2.0", id: 1, error: { code: -32000, data: { kind: "no_hook" } } },
    },
  ),
  inHook(
    "break out of the envelope by a method's argument",
    `await ctx.kv.get('a"},"id":7,"method":"host","params":{"method":"notify.send","x":"'); return 1`,
    { code: "ok", answer: 1, calls: ["kv.get"] },
  ),
  inHook(
    "forge an error code of ours",
    `throw Object.assign(new Error("not granted"), { code: "capability.denied", kind: "denied", [Symbol.for("voxeltron.error")]: true })`,
    failed("not granted"),
  ),
  inHook(
    "forge a timeout to look like a victim",
    `const e = new Error("x"); e.code = "plugin.timeout"; e.name = "VoxError"; e.details = { pluginCode: "x" }; throw e`,
    failed("x"),
  ),
  inHook(
    "throw an object shaped like a wire error",
    `throw { code: "internal.bug", message: "bug", hint: "rm -rf", details: { stack: ["a"] } }`,
    failed("bug"),
  ),
  inHook(
    "throw what can't be read",
    `throw new Proxy({}, { get() { throw new Error("no") }, getPrototypeOf() { throw new Error("no") } })`,
    { code: "plugin.failed" },
  ),
  inHook(
    "throw with getters that do something",
    `throw { get message() { ctx.notify.send("ops", "x").catch(() => {}); return "m" } }`,
    failed("m"),
  ),
  inHook(
    "throw a message of escape codes",
    `throw new Error("\\u001b]0;owned\\u0007\\u001b[2J\\u202eevil\\u0000")`,
    failed("]0;owned[2Jevil"),
  ),
  inHook("throw a message of a million characters", `throw new Error("x".repeat(1e6))`, failed("xxx")),
  inHook(
    "return a proxy, a getter and a symbol key",
    `return new Proxy({ a: 1, get b() { return 2 }, [Symbol.iterator]: 3 }, {})`,
    { code: "ok", answer: { a: 1, b: 2 } },
  ),
  inHook(
    "return a thenable that resolves to a thenable",
    `return { then(ok) { ok({ then(ok2) { ok2("in the end") } }) } }`,
    { code: "ok", answer: "in the end" },
  ),
  inHook(
    "settle its hook twice",
    `return { then(ok, no) { ok("first"); ok("second"); no(new Error("third")) } }`,
    { code: "ok", answer: "first" },
  ),
  inHook(
    "return __proto__ as data",
    `return JSON.parse('{"__proto__": {"polluted": true}, "constructor": {"prototype": {"polluted": true}}}')`,
    {
      code: "ok",
      answer: { constructor: { prototype: { polluted: true } } },
    },
  ),
  inHook(
    "send __proto__ in parameters",
    `await ctx.kv.set("k", JSON.parse('{"__proto__": {"polluted": true}}')); return 1`,
    { code: "ok", answer: 1, calls: ["kv.set"] },
  ),
  inHook(
    "send __proto__ in log fields",
    `ctx.log.info("x", JSON.parse('{"__proto__": {"polluted": true}, "level": "error", "plugin": "other"}')); return 1`,
    { code: "ok", answer: 1 },
  ),
  inHook(
    "forge a log entry of another kind",
    `ctx.log.info('x"},"method":"stopped","params":{"reason":"crash"'); ctx.log["error\\",\\"x"]?.("y"); ctx.log.info("line\\n2026-01-01 error daemon: forged"); return 1`,
    { code: "ok", answer: 1 },
  ),
  inHook(
    "log with a hostile fields object",
    `ctx.log.info("a", { toJSON() { throw 1 } }); ctx.log.info("b", new Proxy({}, { ownKeys() { throw 1 } })); ctx.log.info({ toString() { throw 1 } }); console.log(new Proxy({}, { get() { throw 1 } }), Symbol("s"), 5n); return 1`,
    { code: "ok", answer: 1 },
  ),
  inHook(
    "send lone surrogates and NUL through every message",
    `ctx.log.info("\\ud800\\u0000"); await ctx.kv.set("\\udfff\\u0000k", "\\ud83d"); return "\\ud800\\u0000x"`,
    { code: "ok", answer: "\ud800\u0000x", calls: ["kv.set"] },
  ),
  inHook("call a method that was not granted", `await ctx.notify.send("ops", "x")`, failed("is not granted")),
  inHook(
    "call a method that does not exist",
    `return [typeof ctx.daemon, typeof ctx.exec, typeof ctx.docker?.raw, typeof ctx.secrets?.set]`,
    { code: "ok", answer: ["undefined", "undefined", "undefined", "undefined"] },
  ),
  inHook(
    "change ctx",
    `
    "use strict"; const results = [];
    for (const change of [() => { ctx.kv.get = 1 }, () => { ctx.plugin.name = "other" }, () => { ctx.config.x = 1 }, () => { ctx.admin = 1 }, () => { delete ctx.log }, () => { Object.setPrototypeOf(ctx, { a: 1 }) }]) {
      try { change(); results.push("changed") } catch { results.push("refused") }
    }
    return results`,
    { code: "ok", answer: ["refused", "refused", "refused", "refused", "refused", "refused"] },
  ),
  inHook(
    "give a method arguments by odd names",
    `await ctx.kv.get.call({ name: "notify.send" }, { toString: () => "k" }, "extra", { plugin: "other" }); return 1`,
    { code: "ok", answer: 1, calls: ["kv.get"] },
  ),
  inHook(
    "pretend to hold bytes that it does not",
    `const v = await ctx.kv.set("k", { $b64: "AAAA" }); const w = await ctx.kv.set("k", { $b64: "1:1" }); return [v, w]`,
    { code: "ok", answer: [null, null], calls: ["kv.set"] },
  ),
  inHook("read a ticket of bytes that is not its own", `return await ctx.kv.get("tickets")`, {
    code: "ok",
    answer: { $b64: "not base64!" },
    calls: ["kv.get"],
  }),
];
