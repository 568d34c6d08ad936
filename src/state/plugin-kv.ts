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
    "SELECT key FROM plugin_kv WHERE plugin = ? AND substr(key, 1, length(?)) = ? ORDER BY key",
  );
  const size = db.query<{ bytes: number }, [string]>(
    "SELECT coalesce(sum(octet_length(key) + octet_length(value)), 0) AS bytes FROM plugin_kv WHERE plugin = ?",
  );
  /** Bytes of each store since it was last measured: a look at ten thousand keys takes longer than a write. Nobody else writes here. */
  const sizes = new Map<string, number>();
  const sizeOf = (plugin: string): number => sizes.get(plugin) ?? size.get(plugin)?.bytes ?? 0;

  function held(plugin: string, key: string): number {
    const found = get.get(plugin, key);
    return found === null ? 0 : bytesOf(key) + bytesOf(found.value);
  }

  return {
    get: (plugin, key) => get.get(plugin, key)?.value,
    set(plugin, key, value, maxBytes) {
      const after = sizeOf(plugin) - held(plugin, key) + bytesOf(key) + bytesOf(value);
      if (after > maxBytes) return false;
      put.run(plugin, key, value);
      sizes.set(plugin, after);
      return true;
    },
    delete(plugin, key) {
      const after = sizeOf(plugin) - held(plugin, key);
      if (remove.run(plugin, key).changes === 0) return false;
      sizes.set(plugin, after);
      return true;
    },
    list: (plugin, prefix) => keys.all(plugin, prefix, prefix).map((row) => row.key),
    clear(plugin) {
      sizes.delete(plugin);
      clear.run(plugin);
    },
  };
}

// --- internal ---

function bytesOf(text: string): number {
  return Buffer.byteLength(text);
}
