/**
 * VOXELTRON_* in place of keys of the file: `[network] allow_private` is VOXELTRON_NETWORK_ALLOW_PRIVATE, lists are
 * separated by commas. One table; tables that the operator names himself (`[notify.NAME]`, `[plugins.config.NAME]`) are
 * in the file only. Called by config.ts.
 */
import type { Environment } from "../base/paths.ts";

type Tree = Record<string, unknown>;

export function environmentOverrides(file: Tree, environment: Environment): Tree {
  const result: Tree = { ...file };
  for (const { variable, path, list } of VARIABLES) {
    const value = environment[variable];
    if (value === undefined || value === "") continue;
    place(result, path, list ? value.split(",").map((part) => part.trim()) : value);
  }
  return result;
}

interface Variable {
  readonly variable: string;
  readonly path: readonly string[];
  readonly list: boolean;
}

const KEYS: readonly (readonly [key: string, list?: "list"])[] = [
  ["data_dir"],
  ["socket"],
  ["log_level"],
  ["log_format"],
  ["network.allow_private", "list"],
  ["providers.default"],
  ["docker.socket"],
  ["plugins.idle_timeout"],
  ["plugins.ceiling", "list"],
];

export const VARIABLES: readonly Variable[] = KEYS.map(([key, list]) => ({
  variable: `VOXELTRON_${key.toUpperCase().replaceAll(".", "_")}`,
  path: key.split("."),
  list: list === "list",
}));

// --- internal ---

function place(tree: Tree, path: readonly string[], value: unknown): void {
  const [head = "", ...rest] = path;
  if (rest.length === 0) {
    tree[head] = value;
    return;
  }
  const child = { ...(tree[head] as Tree | undefined) };
  place(child, rest, value);
  tree[head] = child;
}
