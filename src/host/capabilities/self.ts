/**
 * What every plugin has without a grant: its own small store, `kv.*`. Values are kept as JSON text. Called by catalogue.ts;
 * the rows live in state/, passed in.
 */
import * as v from "valibot";
import { fail, type VoxError } from "../../base/errors.ts";
import { jsonSize } from "../../base/json-size.ts";
import { LIMITS } from "../../base/limits.ts";
import { formatBytes } from "../../base/text.ts";
import type { PluginKvRows } from "../../state/plugin-kv.ts";
import { method, type Method } from "./method.ts";

/** The part of the repository that is needed; rows of one plugin are invisible to every other. */
export type KeyValueRows = Pick<PluginKvRows, "get" | "set" | "delete" | "list" | "count">;

/** `kv.get {key}` · `kv.set {key, value}` · `kv.delete {key}` · `kv.list {prefix?}`, as PluginStore in the SDK has them. */
export function selfMethods(rows: KeyValueRows): readonly Method[] {
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
      run: async ({ plugin }, { key, value }) => put(rows, plugin, key, value),
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

function put(rows: KeyValueRows, plugin: string, key: string, value: unknown): void {
  const text = jsonText(value ?? null);
  if (rows.get(plugin, key) === undefined && rows.count(plugin) >= LIMITS.kvKeysPerPlugin)
    throw fail("capability.limit", `the store holds at most ${LIMITS.kvKeysPerPlugin} keys, and it is full`);
  if (!rows.set(plugin, key, text, LIMITS.kvBytesPerPlugin))
    throw fail(
      "capability.limit",
      `the store holds at most ${formatBytes(LIMITS.kvBytesPerPlugin)}, and it is full`,
    );
}

/** Refused before it is written out: megabytes of escapes would hold the daemon up for that alone. */
function jsonText(value: unknown): string {
  const about = jsonSize(value);
  // Numbers have fewer characters than they are taken for.
  if (about > 2 * LIMITS.kvValueBytes) throw tooLarge(about);
  const text = JSON.stringify(value);
  const bytes = Buffer.byteLength(text);
  if (bytes > LIMITS.kvValueBytes) throw tooLarge(bytes);
  return text;
}

function tooLarge(bytes: number): VoxError {
  return fail(
    "capability.limit",
    `a value of at most ${formatBytes(LIMITS.kvValueBytes)} is stored, this one has ${formatBytes(bytes)}`,
  );
}
