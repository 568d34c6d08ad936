/** `ctx`: made from the broker's table of methods, so that what a plugin can call is what the daemon can answer. */
import { callHost } from "./host-calls.ts";
import { writeLog } from "./log.ts";
import { create, defineProperty, freeze } from "./primordials.ts";

/** What the guest is told before the plugin's code. */
export interface Setup {
  readonly plugin: { readonly name: string; readonly version: string };
  readonly config: Readonly<Record<string, unknown>>;
  readonly methods: readonly { readonly name: string; readonly args: readonly string[] }[];
}

export function makeContext(setup: Setup): object {
  const root: Tree = {};
  for (const method of setup.methods) {
    if (method.name !== "net.fetch")
      place(root, method.name.split("."), makeMethod(method.name, method.args));
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

function makeMethod(
  name: string,
  argumentNames: readonly string[],
): (...args: unknown[]) => Promise<unknown> {
  return (...args) => {
    const params = create(null) as Record<string, unknown>;
    for (let i = 0; i < argumentNames.length; i++) {
      if (args[i] !== undefined)
        defineProperty(params, argumentNames[i]!, { value: args[i], enumerable: true });
    }
    return callHost(name, params);
  };
}

function deepFreeze<T>(value: T): T {
  if (typeof value !== "object" || value === null) return value;
  for (const part of Object.values(value)) deepFreeze(part);
  return freeze(value);
}
