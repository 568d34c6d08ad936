/**
 * What every plugin has without a grant: its own small store, `kv.*`. Values are kept as JSON text. Called by catalogue.ts;
 * the rows live in state/, passed in.
 */
import * as v from "valibot";
import { fail } from "../../base/errors.ts";
import { LIMITS } from "../../base/limits.ts";
import { formatBytes } from "../../base/text.ts";
import type { PluginKvRows } from "../../state/plugin-kv.ts";
import { method, type Method } from "./method.ts";

/** The part of the repository that is needed; rows of one plugin are invisible to every other. */
export type KeyValueRows = Pick<PluginKvRows, "get" | "set" | "delete" | "list">;

/** `kv.get {key}` · `kv.set {key, value}` · `kv.delete {key}` · `kv.list {prefix?}`, as PluginStore in the SDK has them. */
export function selfMethods(rows: KeyValueRows): readonly Method[] {
  const counts = new Map<string, number>();
  return [
    method({
      name: "kv.get",
      args: ["key"],
      anyOf: [],
      params: v.strictObject({ key }),
      async run({ plugin }, { key }) {
        const found = rows.get(plugin, key);
        return found === undefined ? undefined : (JSON.parse(found) as unknown);
      },
    }),
    method({
      name: "kv.set",
      args: ["key", "value"],
      anyOf: [],
      params: v.strictObject({ key, value: v.optional(v.unknown()) }),
      run: async ({ plugin }, { key, value }) => put(rows, counts, plugin, key, value),
    }),
    method({
      name: "kv.delete",
      args: ["key"],
      anyOf: [],
      params: v.strictObject({ key }),
      run: async ({ plugin }, { key }) => rows.delete(plugin, key),
    }),
    method({
      name: "kv.list",
      args: ["prefix"],
      anyOf: [],
      params: v.strictObject({ prefix: v.optional(v.pipe(v.string(), v.maxLength(LIMITS.kvKeyChars)), "") }),
      run: async ({ plugin }, { prefix }) => rows.list(plugin, prefix),
    }),
  ];
}

// --- internal ---

const key = v.pipe(v.string(), v.minLength(1), v.maxLength(LIMITS.kvKeyChars));

/** `counts` spares a look at every key: it may be too high (a store that was cleared), never too low. */
function put(
  rows: KeyValueRows,
  counts: Map<string, number>,
  plugin: string,
  key: string,
  value: unknown,
): void {
  const text = JSON.stringify(value ?? null);
  const size = Buffer.byteLength(text);
  if (size > LIMITS.kvValueBytes)
    throw fail(
      "capability.limit",
      `a value of at most ${formatBytes(LIMITS.kvValueBytes)} is stored, this one has ${formatBytes(size)}`,
    );
  const isNew = rows.get(plugin, key) === undefined;
  if (isNew) {
    let count = counts.get(plugin) ?? LIMITS.kvKeysPerPlugin;
    if (count >= LIMITS.kvKeysPerPlugin) count = rows.list(plugin, "").length;
    if (count >= LIMITS.kvKeysPerPlugin)
      throw fail(
        "capability.limit",
        `the store holds at most ${LIMITS.kvKeysPerPlugin} keys, and it is full`,
      );
    counts.set(plugin, count);
  }
  if (!rows.set(plugin, key, text, LIMITS.kvBytesPerPlugin))
    throw fail(
      "capability.limit",
      `the store holds at most ${formatBytes(LIMITS.kvBytesPerPlugin)}, and it is full`,
    );
  if (isNew) counts.set(plugin, (counts.get(plugin) ?? 0) + 1);
}
