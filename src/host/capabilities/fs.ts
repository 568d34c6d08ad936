/**
 * The files family: `fs.*`, below `files/` in the data directory, which all plugins share, and `backups/`, which they may read. It
 * says which paths a plugin has; that such a path leads nowhere else is the work of the store below it. Called by catalogue.ts.
 */
import * as v from "valibot";
import { timestamp } from "../../base/clock.ts";
import { fail, isVoxError } from "../../base/errors.ts";
import { LIMITS } from "../../base/limits.ts";
import { formatBytes } from "../../base/text.ts";
import { parseAreaPath } from "../files/area-path.ts";
import type { FileStore } from "../files/file-store.ts";
import type { FileWriter } from "../files/writer.ts";
import { makeAllowances } from "./allowance.ts";
import { bytesSchema, wireBytes } from "./bytes.ts";
import { admit, commandSafe } from "./fs-admission.ts";
import { method, type Caller, type Method } from "./method.ts";
import { makeTurns } from "./turns.ts";

export interface FsOptions {
  readonly store: Pick<FileStore, "read" | "list" | "stat">;
  readonly writer: FileWriter;
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
  const allowanceOf = makeAllowances({
    places: LIMITS.fileConcurrent,
    bytes: LIMITS.fileConcurrent * LIMITS.fileCallBytes,
  });
  const inPlace: InPlace = async (caller, signal, work) => {
    const lease = await allowanceOf(caller.plugin).enter(signal);
    try {
      return await work();
    } finally {
      lease.leave();
    }
  };
  return [...readMethods(options, inPlace), ...writeMethods(options, inPlace)];
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

const onPath = (capability: "fs_read" | "fs_write") => ({
  anyOf: [capability],
  check: (caller: Caller, params: { readonly path: string }) => admit(caller, capability, params.path),
  target: (params: { readonly path: string }) => params.path,
  scope: (params: { readonly path: string }) => commandSafe(params.path),
});

interface ReadParams {
  readonly path: string;
  readonly options: v.InferOutput<typeof range>;
}

/** Waits for a place among the plugin's calls. */
type InPlace = <T>(caller: Caller, signal: AbortSignal, work: () => Promise<T>) => Promise<T>;

function readMethods(options: FsOptions, inPlace: InPlace): readonly Method[] {
  // Five megabytes take milliseconds to become a message: between two of them everybody else has a turn.
  const turn = makeTurns();
  const read = (
    caller: Caller,
    { path, options: range }: ReadParams,
    signal: AbortSignal,
  ): Promise<Uint8Array> =>
    inPlace(caller, signal, () =>
      options.store.read(
        parseAreaPath(path),
        { offset: range.offset ?? 0, length: range.length, most: LIMITS.fileCallBytes },
        signal,
      ),
    );

  return [
    method({
      name: "fs.read",
      args: ["path", "options"],
      ...onPath("fs_read"),
      params: v.strictObject({ path, options: range }),
      async run(caller, params, signal) {
        const bytes = await read(caller, params, signal);
        return turn(async () => wireBytes(bytes));
      },
    }),
    method({
      name: "fs.readText",
      args: ["path", "options"],
      ...onPath("fs_read"),
      params: v.strictObject({ path, options: range }),
      async run(caller, params, signal) {
        const bytes = await read(caller, params, signal);
        return turn(async () => decoded(bytes));
      },
    }),
    method({
      name: "fs.list",
      args: ["path", "options"],
      ...onPath("fs_read"),
      params: v.strictObject({ path, options: page }),
      run: (caller, { path, options: { after, limit } }, signal) =>
        inPlace(caller, signal, async () => {
          const names = parseAreaPath(path);
          const found = await orEmpty(names, () =>
            options.store.list(names, { after, limit, most: LIMITS.filesListed }, signal),
          );
          return found.map(({ name, type, size }) => ({ name, type, size }));
        }),
    }),
    method({
      name: "fs.stat",
      args: ["path"],
      ...onPath("fs_read"),
      params: v.strictObject({ path }),
      async run(_caller, { path }) {
        const { type, size, modified } = options.store.stat(parseAreaPath(path));
        return { type, size, modified: timestamp(modified) };
      },
    }),
  ];
}

function writeMethods(options: FsOptions, inPlace: InPlace): readonly Method[] {
  const put = (name: "write" | "append"): Method =>
    method({
      name: `fs.${name}`,
      args: ["path", "data"],
      ...onPath("fs_write"),
      params: v.strictObject({ path, data }),
      run: (caller, { path, data }, signal) =>
        inPlace(caller, signal, () =>
          options.writer[name]({ plugin: caller.plugin, names: parseAreaPath(path), bytes: data, signal }),
        ),
    });

  return [
    put("write"),
    put("append"),
    method({
      name: "fs.remove",
      args: ["path"],
      ...onPath("fs_write"),
      params: v.strictObject({ path }),
      run: (caller, { path }, signal) =>
        inPlace(caller, signal, () => options.writer.remove(parseAreaPath(path), signal)),
    }),
    method({
      name: "fs.mkdir",
      args: ["path", "options"],
      ...onPath("fs_write"),
      params: v.strictObject({
        path,
        options: v.optional(v.strictObject({ parents: v.optional(v.boolean(), false) }), {}),
      }),
      run: (caller, { path, options: { parents } }, signal) =>
        inPlace(caller, signal, () =>
          options.writer.mkdir(caller.plugin, parseAreaPath(path), parents, signal),
        ),
    }),
    method({
      name: "fs.rename",
      args: ["from", "to"],
      anyOf: ["fs_write"],
      params: v.strictObject({ from: path, to: path }),
      check(caller, { from, to }) {
        admit(caller, "fs_write", from);
        admit(caller, "fs_write", to);
      },
      target: ({ from, to }) => `${from} → ${to}`,
      scope: ({ from }) => commandSafe(from),
      run: (caller, { from, to }, signal) =>
        inPlace(caller, signal, () => options.writer.rename(parseAreaPath(from), parseAreaPath(to), signal)),
    }),
  ];
}

/** Known before it is written out: of control characters there, five megabytes become thirty, and hold everybody up. */
function sizeAsJson(bytes: Uint8Array): number {
  let size = bytes.length;
  // By index: an iterator takes twenty times as long.
  for (let at = 0; at < bytes.length; at++) size += ESCAPE_CHARS[bytes[at]!]!;
  return size;
}

/** What JSON adds to each byte of a text: nothing to those beyond ASCII. */
const ESCAPE_CHARS: Uint8Array = Uint8Array.from({ length: 256 }, (_, byte) =>
  byte < 0x80 ? JSON.stringify(String.fromCharCode(byte)).length - 3 : 0,
);

function decoded(bytes: Uint8Array): string {
  const size = sizeAsJson(bytes);
  if (size > LIMITS.messageBytes)
    throw fail(
      "capability.limit",
      `as a text in a message this has ${formatBytes(size)}, at most ${formatBytes(LIMITS.messageBytes)} can be given`,
      { hint: "read it in parts, with {offset, length}, or as bytes" },
    );
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
