/** Straight for the host's powers: files, sockets, processes, the environment, by every name that a JavaScript host gives them. */
import { inHook, PLACES, type Attack } from "./attack.ts";

const failed = (words: string) => ({ code: "plugin.failed", words });
const control = { control: true };

export const HOST_POWERS: readonly Attack[] = [
  inHook(
    "read a file with require",
    `return require("fs").readFileSync("${PLACES.secretFile}", "utf8")`,
    {
      code: "plugin.import_refused",
      words: "no files of the host",
    },
    control,
  ),
  inHook(
    "read a file with a computed require",
    `const name = "f" + "s"; return globalThis.require(name).readFileSync("${PLACES.secretFile}", "utf8")`,
    failed("TypeError"),
  ),
  inHook(
    "read a file with a computed import",
    `const name = ["node", "fs"].join(":"); return (await import(name)).readFileSync("${PLACES.secretFile}", "utf8")`,
    failed("could not load module"),
    control,
  ),
  inHook(
    "read a file with import.meta.require",
    `return import.meta.require("fs").readFileSync("${PLACES.secretFile}", "utf8")`,
    failed("TypeError"),
    control,
  ),
  inHook(
    "read a file with process.getBuiltinModule",
    `return process.getBuiltinModule("fs").readFileSync("${PLACES.secretFile}", "utf8")`,
    failed("'process' is not defined"),
    control,
  ),
  inHook(
    "read a file with Bun.file",
    `return await Bun.file("${PLACES.secretFile}").text()`,
    failed("'Bun' is not defined"),
    control,
  ),
  inHook(
    "read a file with fetch of a file: URL",
    `return await (await fetch("file://${PLACES.secretFile}")).text()`,
    { code: "plugin.failed", words: "is not granted" },
    control,
  ),
  inHook(
    "read a file with an import of its text",
    `const path = "${PLACES.secretFile}"; return (await import(path, { with: { type: "text" } })).default`,
    { code: "plugin.failed" },
    control,
  ),
  inHook(
    "read the source of the daemon by import.meta.url",
    `return new URL(".", import.meta.url).href`,
    failed("Invalid URL"),
  ),
  inHook(
    "write a file with Bun.write",
    `await Bun.write("${PLACES.canaryFile}", "x"); return "written"`,
    failed("'Bun' is not defined"),
    control,
  ),
  inHook(
    "write a file with a computed import",
    `const name = "node:" + String.fromCharCode(102, 115); (await import(name)).writeFileSync("${PLACES.canaryFile}", "x")`,
    failed("could not load module"),
    control,
  ),
  inHook(
    "open a database file with bun:sqlite",
    `const name = ["bun", "sqlite"].join(":"); const { Database } = await import(name); new Database("${PLACES.canaryFile}").run("create table t (x)")`,
    failed("could not load module"),
    control,
  ),
  inHook(
    "read the environment with process.env",
    `return process.env["${PLACES.secretEnv}"]`,
    failed("'process' is not defined"),
    control,
  ),
  inHook(
    "read the environment with Bun.env",
    `return Bun.env["${PLACES.secretEnv}"]`,
    failed("'Bun' is not defined"),
    control,
  ),
  inHook(
    "read the environment with import.meta.env",
    `return import.meta.env["${PLACES.secretEnv}"]`,
    failed("TypeError"),
    control,
  ),
  inHook(
    "read the environment through the constructor of a function",
    `return (() => {}).constructor("return process.env['${PLACES.secretEnv}']")()`,
    failed("'process' is not defined"),
    control,
  ),
  inHook(
    "spawn with Bun.spawn",
    `Bun.spawnSync(["touch", "${PLACES.canaryFile}"]); return 1`,
    failed("'Bun' is not defined"),
    control,
  ),
  inHook(
    "spawn with child_process",
    `const m = await import(["child", "process"].join("_")); m.execFileSync("touch", ["${PLACES.canaryFile}"])`,
    failed("could not load module"),
    control,
  ),
  inHook(
    "spawn with a shell",
    `await Bun.$\`touch ${PLACES.canaryFile}\`; return 1`,
    failed("'Bun' is not defined"),
    control,
  ),
  inHook(
    "call libc with bun:ffi",
    `const { dlopen } = await import(["bun", "ffi"].join(":")); return dlopen("libc.so.6", { getpid: { returns: "int" } }).symbols.getpid()`,
    failed("could not load module"),
  ),
  inHook(
    "fetch a local server",
    `return await (await fetch("${PLACES.canaryUrl}")).text()`,
    failed("is not granted"),
    control,
  ),
  inHook(
    "fetch a local server with a Request made by hand",
    `return (await fetch(new Request("${PLACES.canaryUrl}", { method: "POST", body: "x" }))).status`,
    failed("is not granted"),
    control,
  ),
  inHook(
    "open a socket with node:net",
    `const net = await import("node:" + ["n", "e", "t"].join("")); await new Promise((ok, no) => net.connect(${PLACES.canaryPort}, "127.0.0.1").on("connect", ok).on("error", no))`,
    failed("could not load module"),
    control,
  ),
  inHook(
    "open a socket with Bun.connect",
    `await Bun.connect({ hostname: "127.0.0.1", port: ${PLACES.canaryPort}, socket: { data() {} } }); return 1`,
    failed("'Bun' is not defined"),
    control,
  ),
  inHook(
    "open a WebSocket",
    `return await new Promise((ok) => { const s = new WebSocket("ws://127.0.0.1:${PLACES.canaryPort}"); s.onerror = () => ok("error"); s.onopen = () => ok("open"); })`,
    failed("'WebSocket' is not defined"),
    control,
  ),
  inHook(
    "send with EventSource, XMLHttpRequest or sendBeacon",
    `return [typeof EventSource, typeof XMLHttpRequest, typeof navigator]`,
    { code: "ok", answer: ["undefined", "undefined", "undefined"] },
  ),
  inHook("start a Worker of its own", `new Worker(URL.createObjectURL(new Blob(["postMessage(1)"])))`, {
    code: "plugin.failed",
    words: "is not defined",
  }),
  inHook(
    "start a ShadowRealm",
    `return new ShadowRealm().evaluate("typeof process")`,
    failed("'ShadowRealm' is not defined"),
  ),
  inHook("end the daemon with process.exit", `process.exit(3)`, failed("'process' is not defined")),
  inHook(
    "end the daemon with process.kill and abort",
    `process.kill(process.ppid); process.abort()`,
    failed("'process' is not defined"),
  ),
  inHook(
    "end the daemon with globalThis.close",
    `return typeof globalThis.close + typeof globalThis.reportError`,
    { code: "ok", answer: "undefinedundefined" },
  ),
  inHook(
    "speak to the daemon with postMessage",
    `return [typeof postMessage, typeof self, typeof onmessage, typeof parentPort, typeof BroadcastChannel, typeof MessageChannel]`,
    {
      code: "ok",
      answer: ["undefined", "undefined", "undefined", "undefined", "undefined", "undefined"],
    },
  ),
  inHook(
    "read memory statistics and heap snapshots",
    `return [typeof gc, typeof performance.memory, typeof std, typeof os, typeof print, typeof scriptArgs]`,
    {
      code: "ok",
      answer: ["undefined", "undefined", "undefined", "undefined", "undefined", "undefined"],
    },
  ),
];
