/** By way of the language: constructors, eval, stacks, proxies and prototypes that might lead to a host's object. */
import { inHook, PLACES, type Attack } from "./attack.ts";

const failed = (words: string) => ({ code: "plugin.failed", words });

export const LANGUAGE: readonly Attack[] = [
  inHook(
    "climb constructors from every global to a foreign Function",
    `
    const found = [];
    const seen = new Set();
    const walk = (value, path, depth) => {
      if (depth > 4 || value === null || (typeof value !== "object" && typeof value !== "function") || seen.has(value)) return;
      seen.add(value);
      if (typeof value === "function" && value !== Function.prototype && !(value instanceof Function)) found.push(path);
      if (typeof value === "object" && Object.getPrototypeOf(value) !== null && !(value instanceof Object)) {
        let top = value; while (Object.getPrototypeOf(top)) top = Object.getPrototypeOf(top);
        if (top !== Object.prototype) found.push(path);
      }
      for (const key of Reflect.ownKeys(value)) { try { walk(value[key], path + "." + String(key), depth + 1) } catch {} }
      walk(Object.getPrototypeOf(value), path + ".proto", depth + 1);
    };
    walk(globalThis, "globalThis", 0); walk(ctx, "ctx", 0); walk(event, "event", 0);
    return found`,
    { code: "ok", answer: [] },
    { deadlineMs: 5000 },
  ),
  inHook(
    "take the constructor of a method of ctx",
    `return ctx.kv.get.constructor("return typeof process + typeof Bun + typeof require")()`,
    { code: "ok", answer: "undefinedundefinedundefined" },
  ),
  inHook(
    "take the constructor of a promise of ctx",
    `const p = ctx.kv.get("a"); return p.constructor.constructor("return this === globalThis && typeof process")()`,
    {
      code: "ok",
      answer: "undefined",
      calls: ["kv.get"],
    },
  ),
  inHook(
    "take the constructors of a denied call's error",
    `try { await ctx.notify.send("ops", "x") } catch (error) { return [error instanceof Error, error.constructor.constructor("return typeof process")(), error.details?.constructor?.constructor === Function] }`,
    { code: "ok", answer: [true, "undefined", true] },
  ),
  inHook(
    "make code with AsyncFunction, GeneratorFunction and AsyncGeneratorFunction",
    `
    const makers = [async () => {}, function* () {}, async function* () {}].map((f) => Object.getPrototypeOf(f).constructor);
    return [await makers[0]("return typeof process")(), makers[1]("yield typeof Bun")().next().value, (await makers[2]("yield typeof require")().next()).value]`,
    { code: "ok", answer: ["undefined", "undefined", "undefined"] },
  ),
  inHook(
    "import inside eval",
    `return await (0, eval)("imp" + "ort('node:fs')").then((m) => m.readFileSync("${PLACES.secretFile}", "utf8"))`,
    failed("import()"),
    { control: true },
  ),
  inHook(
    "import inside new Function",
    `return await new Function("n", "return import(n)")("fs").then((m) => m.readFileSync("${PLACES.secretFile}", "utf8"))`,
    failed("could not load module"),
    { control: true },
  ),
  inHook(
    "import a data: URL at run time",
    `return (await import("data:text/javascript,export default " + encodeURIComponent("process.env['${PLACES.secretEnv}']"))).default`,
    failed("could not load module"),
  ),
  inHook(
    "import an http: URL at run time",
    `const url = event.no ?? "${PLACES.canaryUrl}/module.js"; return (await import(url)).default`,
    failed("could not load module"),
  ),
  inHook(
    "import the prelude by its name",
    `const found = []; for (const name of ["prelude.js", "prelude", "voxeltron.prelude", "./prelude.js", "eval.js"]) await import(name).then((m) => found.push(Object.keys(m)), () => {}); return found`,
    { code: "ok", answer: [] },
  ),
  inHook("import defer", `return typeof (await (0, eval)("import.defer('node:fs')")).readFileSync`, {
    code: "plugin.failed",
  }),
  inHook(
    "get call sites from Error.prepareStackTrace",
    `
    let sites; Error.prepareStackTrace = (_, frames) => { sites = frames; return "s" };
    const stack = new Error("x").stack; delete Error.prepareStackTrace;
    if (!Array.isArray(sites)) return "no call sites";
    return sites.map((site) => [typeof site.getFunction?.(), typeof site.getThis?.(), site.constructor === Object || site instanceof Object].join())
      .filter((line) => /object|function/.test(line.split(",").slice(0, 2).join()))`,
    { code: "ok", answer: "no call sites" },
  ),
  inHook(
    "get call sites while the host's error is made",
    `
    const got = []; Error.prepareStackTrace = (error, frames) => { got.push(typeof frames[0]?.getThis?.()); return "s" };
    try { await ctx.notify.send("a", "b") } catch (error) { void error.stack }
    try { new URL("::") } catch (error) { void error.stack }
    return got.filter((kind) => kind === "object" || kind === "function")`,
    { code: "ok", answer: [] },
  ),
  inHook(
    "read the source of the bridge with toString",
    `const text = [fetch, setTimeout, ctx.kv.get, URL, crypto.getRandomValues].map(String).join(); return /bunfs|\\/work\\/|process\\.|node:/.test(text)`,
    { code: "ok", answer: false },
  ),
  inHook(
    "reach callers through arguments and caller",
    `function f() { return [f.caller, f.arguments] } return f()`,
    { code: "plugin.failed" },
  ),
  inHook(
    "read paths of the host in a stack",
    `let stack = new Error().stack; try { null.x } catch (e) { stack += e.stack } try { new URL("no") } catch (e) { stack += e.stack } try { await fetch(1) } catch (e) { stack += e.stack } return /\\/(work|home|tmp|root|usr|\\$bunfs)\\//.test(stack)`,
    { code: "ok", answer: false },
  ),
  inHook(
    "overflow the stack inside a host call",
    `let deepest; const f = () => { try { f() } catch (e) { deepest ??= e; new URL("https://a.b/").href; crypto.randomUUID() } }; f(); return deepest.constructor === InternalError || deepest instanceof Error`,
    { code: "ok", answer: true },
    { deadlineMs: 5000 },
  ),
  inHook(
    "overflow the stack while the host makes an error",
    `const f = () => { try { f() } catch { try { new URL("no") } catch (e) { globalThis.last = e } } }; f(); return last.constructor.constructor("return typeof process")()`,
    { code: "ok", answer: "undefined" },
    { deadlineMs: 5000 },
  ),
  inHook(
    "give the host functions symbols, proxies and objects",
    `
    const odd = [Symbol("s"), new Proxy({}, { get() { throw 1 } }), { toString() { throw 2 } }, null, 2n, () => {}, new Proxy(function () {}, {})];
    const results = [];
    for (const value of odd) for (const use of [() => new URL(value), () => atob(value), () => setTimeout(value), () => new TextDecoder().decode(value), () => crypto.getRandomValues(value), () => new TextEncoder().encode(value), () => structuredClone(value)]) {
      try { use(); results.push("ok") } catch { results.push("threw") }
    }
    return results.length`,
    { code: "ok", answer: 49 },
  ),
  inHook(
    "give host functions detached, shared and resized buffers",
    `
    const detached = new ArrayBuffer(8); structuredClone(detached, { transfer: [detached] });
    const shared = new SharedArrayBuffer(8);
    const resized = new ArrayBuffer(8, { maxByteLength: 64 }); const view = new Uint8Array(resized, 4); resized.resize(2);
    const out = [];
    for (const value of [detached, shared, resized, view, new Uint8Array(shared)]) for (const use of [(v) => new TextDecoder().decode(v), (v) => crypto.subtle.digest("SHA-1", v), (v) => ctx.kv.set("k", v)]) {
      try { await use(value); out.push(1) } catch { out.push(0) }
    }
    return out.length`,
    { code: "ok", answer: 15, calls: ["kv.set"] },
  ),
  inHook(
    "lie about lengths to the host",
    `
    const view = new Uint8Array(4); Object.defineProperty(view, "byteLength", { get: () => 1e9 }); Object.defineProperty(view, "length", { get: () => 1e9 });
    const text = new TextDecoder().decode(view); return text.length`,
    failed("RangeError"),
  ),
  inHook(
    "ask for more random bytes than there may be",
    `try { crypto.getRandomValues(new Uint8Array(1e7)) } catch (e) { return e.name }`,
    { code: "ok", answer: "QuotaExceededError" },
  ),
  inHook(
    "change a buffer while the host reads it",
    `const b = new Uint8Array(16); const p = crypto.subtle.digest("SHA-256", b); b.fill(9); return [...new Uint8Array(await p)].slice(0, 2)`,
    { code: "ok", answer: [55, 71] },
  ),
];
