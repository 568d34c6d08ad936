/** `ctx`: made from the broker's table of methods, so that what a plugin can call is what the daemon can answer. */
import { openConnection } from "./connection.ts";
import { callHost } from "./host-calls.ts";
import { writeLog } from "./log.ts";
import { create, defineProperty, freeze } from "./primordials.ts";
import { openStream } from "./stream.ts";

/** What the guest is told before the plugin's code. */
export interface Setup {
  readonly plugin: { readonly name: string; readonly version: string };
  readonly config: Readonly<Record<string, unknown>>;
  readonly methods: readonly Shape[];
}

export function makeContext(setup: Setup): object {
  const root: Tree = {};
  for (const method of setup.methods) {
    const make = SURFACES[method.surface];
    if (make !== undefined) place(root, method.name.split("."), make(method));
  }
  root["log"] = {
    debug: (text: unknown, fields?: unknown) => writeLog("debug", text, fields),
    info: (text: unknown, fields?: unknown) => writeLog("info", text, fields),
    warn: (text: unknown, fields?: unknown) => writeLog("warn", text, fields),
    error: (text: unknown, fields?: unknown) => writeLog("error", text, fields),
  };
  return deepFreeze({ ...root, plugin: setup.plugin, config: setup.config });
}

// --- internal ---

interface Tree {
  [name: string]: Tree | ((...args: never[]) => unknown);
}

function place(tree: Tree, path: readonly string[], method: (...args: never[]) => unknown): void {
  const [name = "", ...rest] = path;
  if (rest.length === 0) tree[name] = method;
  else place((tree[name] ??= {}) as Tree, rest, method);
}

interface Shape {
  readonly name: string;
  readonly args: readonly string[] | "object";
  readonly surface: string;
}

type ContextFunction = (...args: unknown[]) => unknown;

/** What is not here is not on `ctx`: something else stands for it. */
const SURFACES: Readonly<Record<string, (shape: Shape) => ContextFunction>> = {
  method: ({ name, args }) => {
    return (...given) => callHost(name, paramsOf(args, given));
  },
  stream: ({ name, args }) => {
    return (...given) => openStream(callHost(name, paramsOf(args, given)));
  },
  connection: ({ name, args }) => {
    return (...given) => openConnection(callHost(name, paramsOf(args, given)));
  },
};

function paramsOf(names: Shape["args"], given: readonly unknown[]): unknown {
  if (names === "object") return given[0] ?? {};
  const params = create(null) as Record<string, unknown>;
  for (let i = 0; i < names.length; i++) {
    if (given[i] !== undefined) defineProperty(params, names[i]!, { value: given[i], enumerable: true });
  }
  return params;
}

function deepFreeze<T>(value: T): T {
  if (typeof value !== "object" || value === null) return value;
  for (const part of Object.values(value)) deepFreeze(part);
  return freeze(value);
}
