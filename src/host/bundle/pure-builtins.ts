/**
 * Node's and Bun's own modules, as far as a plugin's code may import them: those that compute and reach nothing outside of
 * themselves. All others are refused by name with what a plugin has instead. Pure; called by resolve-import.ts and bundle-plugin.ts.
 */
import { builtinModules } from "node:module";

/** Canonical names (`node:crypto`), in order: what may be left in a bundle to be imported where it runs. */
export const PURE_BUILTINS: readonly string[] = [
  "assert",
  "assert/strict",
  "async_hooks",
  "buffer",
  "crypto",
  "diagnostics_channel",
  "events",
  "path",
  "path/posix",
  "path/win32",
  "perf_hooks",
  "punycode",
  "querystring",
  "stream",
  "stream/consumers",
  "stream/promises",
  "stream/web",
  "string_decoder",
  "timers",
  "timers/promises",
  "url",
  "util",
  "util/types",
  "zlib",
].map((name) => `node:${name}`);

export type BuiltinVerdict = { readonly builtin: string } | { readonly refused: string };

/** Undefined where `specifier` is no built-in module's name; with `node:` or `bun:` before it, it always is one. */
export function judgeBuiltin(specifier: string): BuiltinVerdict | undefined {
  const [, scheme, name = ""] = /^(?:(node|bun):)?(.*)$/s.exec(specifier) ?? [];
  if (scheme !== "bun" && PURE_BUILTINS.includes(`node:${name}`)) return { builtin: `node:${name}` };
  const [root = ""] = name.split("/");
  if (scheme === undefined && !builtinModules.includes(name) && !builtinModules.includes(root))
    return undefined;
  return { refused: adviceOn(root) ?? UNKNOWN };
}

/** Undefined where nothing is said about it. A test asks for every module that this Bun has. */
export function adviceOn(root: string): string | undefined {
  const words = ADVICE.find(([names]) => names.includes(root))?.[1];
  return words ?? (root.startsWith("_") ? INSIDES : undefined);
}

// --- internal ---

const UNKNOWN =
  "a plugin may import those of Node's modules that need no authority, such as node:crypto and node:path";
const INSIDES = "it is a part of Node's own insides";

/** Why not, and what there is instead; by the part of the name before any slash. */
const ADVICE: readonly (readonly [names: readonly string[], advice: string])[] = [
  [
    ["fs"],
    "a plugin has no files of the host: ctx.fs has those that it may share, ctx.kv what it has to remember",
  ],
  [["sqlite"], "a plugin has no database of its own: ctx.kv keeps what it has to remember"],
  [["http", "https", "http2", "undici"], "requests are made with fetch"],
  [["net", "tls"], "connections are made with ctx.net.connect"],
  [["dgram", "dns", "quic", "ws"], "a plugin opens no sockets: requests are made with fetch"],
  [["child_process", "cluster"], "a plugin can't start programs"],
  [["worker_threads"], "a plugin can't start threads"],
  [["process"], "a plugin has no process: its settings are in ctx.config"],
  [["os"], "a plugin is told nothing of the machine"],
  [["module", "vm", "repl", "wasi"], "a plugin runs the code in its own files and no other"],
  [["inspector", "v8", "trace_events", "jsc"], "a plugin can't look into the engine that runs it"],
  [["tty", "readline"], "a plugin has no terminal: ctx.log and console write to its log"],
  [["console"], "the global console writes to the plugin's log"],
  [["test"], "a plugin's tests run outside of voxeltron"],
  [["bun", "main", "wrap"], "a plugin has nothing of Bun's own: use the web's interfaces and ctx"],
  [["ffi"], "a plugin can't call native code"],
  [["constants"], "its values are for system calls; those of node:crypto are in its constants"],
  [["sys"], "it is node:util by its old name"],
  [["domain"], "it is obsolete: use try and catch, and promises"],
];
