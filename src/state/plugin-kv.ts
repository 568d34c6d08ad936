/** The `plugin_kv` table: each plugin's own small store, JSON texts by key. Read and written by the broker's `kv` methods. */
import type { Database } from "./database.ts";

export interface PluginKvRows {
  /** JSON text, or undefined. */
  get(plugin: string, key: string): string | undefined;
  /** False, and nothing written, where the plugin's whole store would have more than `maxBytes`. */
  set(plugin: string, key: string, value: string, maxBytes: number): boolean;
  /** True where there was something. */
  delete(plugin: string, key: string): boolean;
  /** Keys that begin with `prefix`, in order. */
  list(plugin: string, prefix: string): readonly string[];
  /** Keys that there are. */
  count(plugin: string): number;
  clear(plugin: string): void;
}

export function makePluginKvRows(db: Database): PluginKvRows {
  const get = db.query<{ value: string }, [string, string]>(
    "SELECT value FROM plugin_kv WHERE plugin = ? AND key = ?",
  );
  const put = db.query<null, [string, string, string]>(
    "INSERT OR REPLACE INTO plugin_kv (plugin, key, value) VALUES (?, ?, ?)",
  );
  const remove = db.query<null, [string, string]>("DELETE FROM plugin_kv WHERE plugin = ? AND key = ?");
  const clear = db.query<null, [string]>("DELETE FROM plugin_kv WHERE plugin = ?");
  const keys = db.query<{ key: string }, [string, string, string]>(
    // By the index: a plugin may ask often. No text has the byte 255, so every key that begins so comes before it.
    "SELECT key FROM plugin_kv WHERE plugin = ? AND key >= ? AND key < ? || x'ff' ORDER BY key",
  );
  const measure = db.query<Size, [string]>(
    `SELECT count(*) AS keys, coalesce(sum(octet_length(key) + octet_length(value)), 0) AS bytes
     FROM plugin_kv WHERE plugin = ?`,
  );
  /** Of each store since it was last measured: a look at ten thousand keys takes longer than a write. Nobody else writes here. */
  const sizes = new Map<string, Size>();

  function sizeOf(plugin: string): Size {
    const size = sizes.get(plugin) ?? measure.get(plugin) ?? { keys: 0, bytes: 0 };
    sizes.set(plugin, size);
    return size;
  }

  function held(plugin: string, key: string): Size {
    const found = get.get(plugin, key);
    return found === null ? { keys: 0, bytes: 0 } : { keys: 1, bytes: bytesOf(key) + bytesOf(found.value) };
  }

  return {
    get: (plugin, key) => get.get(plugin, key)?.value,
    set(plugin, key, value, maxBytes) {
      const [size, before] = [sizeOf(plugin), held(plugin, key)];
      const bytes = size.bytes - before.bytes + bytesOf(key) + bytesOf(value);
      if (bytes > maxBytes) return false;
      put.run(plugin, key, value);
      sizes.set(plugin, { keys: size.keys - before.keys + 1, bytes });
      return true;
    },
    delete(plugin, key) {
      const [size, before] = [sizeOf(plugin), held(plugin, key)];
      if (remove.run(plugin, key).changes === 0) return false;
      sizes.set(plugin, { keys: size.keys - before.keys, bytes: size.bytes - before.bytes });
      return true;
    },
    list: (plugin, prefix) => keys.all(plugin, prefix, prefix).map((row) => row.key),
    count: (plugin) => sizeOf(plugin).keys,
    clear(plugin) {
      sizes.delete(plugin);
      clear.run(plugin);
    },
  };
}

// --- internal ---

interface Size {
  readonly keys: number;
  readonly bytes: number;
}

function bytesOf(text: string): number {
  return Buffer.byteLength(text);
}
