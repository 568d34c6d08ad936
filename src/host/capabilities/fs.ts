/**
 * The files family: `fs.*`, below `files/` in the data directory, which all plugins share, and `backups/`, which they may read. It
 * decides which paths a plugin has, by its grants as they are when the disk is touched; that a path leads nowhere else is the
 * work of the store below it. Called by catalogue.ts.
 */
import * as v from "valibot";
import { timestamp } from "../../base/clock.ts";
import { fail, isVoxError } from "../../base/errors.ts";
import { LIMITS } from "../../base/limits.ts";
import type { FileStore } from "../files/file-store.ts";
import { makeFileWriter, type FileWriter, type FileWriterOptions } from "../files/writer.ts";
import { makeAllowances, type Allowances } from "./allowance.ts";
import { bytesSchema, wireBytes } from "./bytes.ts";
import { admit, commandSafe } from "./fs-admission.ts";
import { method, type Caller, type Method } from "./method.ts";

export interface FsOptions extends FileWriterOptions {
  readonly store: FileStore;
}

/**
 * `fs.read {path, options?: {offset?, length?}}` → `{$b64}` · `fs.readText`, the same → text · `fs.stat {path}` →
 * `{type, size, modified}` · `fs.list {path, options?: {after?, limit?}}` → `{name, type, size}[]` ·
 * `fs.write {path, data: text | {$b64}}` · `fs.append`, the same · `fs.remove {path}` · `fs.mkdir {path, options?: {parents?}}` ·
 * `fs.rename {from, to}`.
 *
 * Reject with `capability.out_of_scope`, `capability.invalid_params`, `capability.limit`, `disk.full` and `file.*`.
 */
export function fsMethods(options: FsOptions): readonly Method[] {
  // One for reading and writing: a plugin's calls wait for each other, not for those of other plugins.
  const allowances = makeAllowances({
    places: LIMITS.fileConcurrent,
    bytes: LIMITS.fileConcurrent * LIMITS.fileCallBytes,
  });
  return [...readMethods(options.store, allowances), ...writeMethods(makeFileWriter(options), allowances)];
}

// --- internal ---

const path = v.string();
const count = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
const range = v.optional(
  v.strictObject({
    offset: v.optional(count, 0),
    length: v.optional(v.pipe(count, v.maxValue(LIMITS.fileCallBytes))),
  }),
  {},
);
const page = v.optional(
  v.strictObject({
    after: v.optional(v.string()),
    limit: v.optional(v.pipe(count, v.minValue(1), v.maxValue(LIMITS.filesListed))),
  }),
  {},
);
const data = v.pipe(
  v.union([v.string(), bytesSchema], 'a text, or bytes as {"$b64": "…"}'),
  v.transform((value) => (typeof value === "string" ? new TextEncoder().encode(value) : value)),
);

const shown = {
  target: (params: { readonly path: string }) => params.path,
  scope: (params: { readonly path: string }) => commandSafe(params.path),
};

function readMethods(store: FileStore, allowances: Allowances): readonly Method[] {
  /** `work` begins when the plugin has a place, and looks at the grants again then. */
  async function placed<T>(
    caller: Caller,
    wanted: string,
    signal: AbortSignal,
    work: (names: readonly string[]) => Promise<T>,
  ): Promise<T> {
    admit(caller, "fs_read", wanted);
    const lease = await allowances.of(caller.plugin).enter(signal);
    try {
      return await work(admit(caller, "fs_read", wanted));
    } finally {
      lease.leave();
    }
  }
  const readBytes = (
    caller: Caller,
    { path, options }: { readonly path: string; readonly options: v.InferOutput<typeof range> },
    signal: AbortSignal,
  ): Promise<Uint8Array> =>
    placed(caller, path, signal, (names) =>
      store.read(
        names,
        { offset: options.offset ?? 0, length: options.length, most: LIMITS.fileCallBytes },
        signal,
      ),
    );

  return [
    method({
      name: "fs.read",
      args: ["path", "options"],
      anyOf: ["fs_read"],
      params: v.strictObject({ path, options: range }),
      ...shown,
      run: async (caller, params, signal) => wireBytes(await readBytes(caller, params, signal)),
    }),
    method({
      name: "fs.readText",
      args: ["path", "options"],
      anyOf: ["fs_read"],
      params: v.strictObject({ path, options: range }),
      ...shown,
      run: async (caller, params, signal) => decoded(await readBytes(caller, params, signal)),
    }),
    method({
      name: "fs.list",
      args: ["path", "options"],
      anyOf: ["fs_read"],
      params: v.strictObject({ path, options: page }),
      ...shown,
      run: (caller, { path, options: { after, limit } }, signal) =>
        placed(caller, path, signal, async (names) => {
          const found = await orEmpty(names, () =>
            store.list(names, { after, limit, most: LIMITS.filesListed }, signal),
          );
          return found.map(({ name, type, size }) => ({ name, type, size }));
        }),
    }),
    method({
      name: "fs.stat",
      args: ["path"],
      anyOf: ["fs_read"],
      params: v.strictObject({ path }),
      ...shown,
      async run(caller, { path }) {
        const { type, size, modified } = store.stat(admit(caller, "fs_read", path));
        return { type, size, modified: timestamp(modified) };
      },
    }),
  ];
}

function writeMethods(writer: FileWriter, allowances: Allowances): readonly Method[] {
  /** As for reading; with several paths all of them must be allowed. */
  async function placed(
    caller: Caller,
    wanted: readonly string[],
    signal: AbortSignal,
    work: (allowed: () => readonly (readonly string[])[]) => Promise<void>,
  ): Promise<void> {
    const allowed = () => wanted.map((each) => admit(caller, "fs_write", each));
    allowed();
    const lease = await allowances.of(caller.plugin).enter(signal);
    try {
      await work(allowed);
    } finally {
      lease.leave();
    }
  }
  const put = (name: "write" | "append"): Method =>
    method({
      name: `fs.${name}`,
      args: ["path", "data"],
      anyOf: ["fs_write"],
      params: v.strictObject({ path, data }),
      ...shown,
      run: (caller, { path, data }, signal) =>
        placed(caller, [path], signal, (allowed) =>
          writer[name]({ plugin: caller.plugin, names: () => allowed()[0]!, bytes: data, signal }),
        ),
    });

  return [
    put("write"),
    put("append"),
    method({
      name: "fs.remove",
      args: ["path"],
      anyOf: ["fs_write"],
      params: v.strictObject({ path }),
      ...shown,
      run: (caller, { path }, signal) =>
        placed(caller, [path], signal, (allowed) => writer.remove(() => allowed()[0]!)),
    }),
    method({
      name: "fs.mkdir",
      args: ["path", "options"],
      anyOf: ["fs_write"],
      params: v.strictObject({
        path,
        options: v.optional(v.strictObject({ parents: v.optional(v.boolean(), false) }), {}),
      }),
      ...shown,
      run: (caller, { path, options }, signal) =>
        placed(caller, [path], signal, (allowed) =>
          writer.mkdir(caller.plugin, allowed()[0]!, options.parents ?? false),
        ),
    }),
    method({
      name: "fs.rename",
      args: ["from", "to"],
      anyOf: ["fs_write"],
      params: v.strictObject({ from: path, to: path }),
      target: ({ from, to }) => `${from} → ${to}`,
      scope: ({ from }) => commandSafe(from),
      run: (caller, { from, to }, signal) =>
        placed(caller, [from, to], signal, (allowed) =>
          writer.rename(() => {
            const [source = [], target = []] = allowed();
            return { source, target };
          }),
        ),
    }),
  ];
}

function decoded(bytes: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw fail(
      "file.not_text",
      "what was read is not UTF-8; a part of a file may begin or end within a character",
    );
  }
}

/** An area in which nothing was ever put is empty, not missing. */
async function orEmpty<T>(
  names: readonly string[],
  list: () => Promise<readonly T[]>,
): Promise<readonly T[]> {
  try {
    return await list();
  } catch (error) {
    if (names.length === 1 && isVoxError(error) && error.code === "file.not_found") return [];
    throw error;
  }
}
