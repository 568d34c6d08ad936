/**
 * Bundles a plugin in a confined process of its own and takes what comes back as a stranger's word: the daemon parses no byte of a
 * plugin's code. Composed by the daemon and by `plugin check`, called at install.
 */
import * as v from "valibot";
import { fail } from "../../base/errors.ts";
import { LIMITS } from "../../base/limits.ts";
import { formatBytes, printable, quote } from "../../base/text.ts";
import type { Isolation } from "../manifest/manifest.ts";
import { measureJson } from "../runtimes/wire/json-shape.ts";
import { askBundler, crashed, tooLarge, type BundlerDeps } from "./bundle-process.ts";
import type { BundleRequest } from "./bundle-role.ts";
import { joinParts, splitParts } from "./parts.ts";
import { PURE_BUILTINS } from "./pure-builtins.ts";
import { sourceLoader } from "./source-kinds.ts";

/**
 * Gives one module as text, whose default export is the plugin, its source map, and what of Node's modules it imports.
 *
 * Throws `plugin.import_refused` (file, line, specifier and what is allowed), `plugin.bundle_failed` (file, line, column),
 * `plugin.too_large`, `confinement.unavailable`, or the signal's reason. It may take LIMITS.bundleMs and LIMITS.bundleMemoryBytes.
 */
export type BundlePlugin = (
  files: ReadonlyMap<string, Uint8Array>,
  entry: string,
  signal?: AbortSignal,
  /** What the operator or else the manifest says: for "worker", which has none, Node's modules are refused. */
  isolation?: Isolation,
) => Promise<PluginBundle>;

export interface PluginBundle {
  readonly code: string;
  readonly sourceMap: string;
  /** As `node:crypto`, in order. Not empty: it runs in the process room only. */
  readonly builtins: readonly string[];
}

export function makeBundler(deps: BundlerDeps): BundlePlugin {
  return async (files, entry, signal, isolation) => {
    signal?.throwIfAborted();
    const request = requestOf(files, entry, isolation);
    return readAnswer(await askBundler(deps, request, signal));
  };
}

// --- internal ---

function requestOf(
  files: ReadonlyMap<string, Uint8Array>,
  entry: string,
  isolation: Isolation | undefined,
): Uint8Array {
  if (!files.has(entry) || sourceLoader(entry) === undefined) {
    throw fail("plugin.bundle_failed", `the plugin has no source file ${quote(entry)}`);
  }
  const sources = [...files].filter(([path]) => sourceLoader(path) !== undefined);
  const bytes = sources.reduce((sum, [, content]) => sum + content.length, 0);
  if (bytes > LIMITS.pluginSourceBytes) {
    const [found, limit] = [formatBytes(bytes), formatBytes(LIMITS.pluginSourceBytes)];
    throw fail(
      "plugin.too_large",
      `the plugin's source files have ${found}, at most ${limit} can be bundled`,
    );
  }
  const paths = sources.map(([path]) => path);
  const head: BundleRequest = { entry, paths, worker: isolation === "worker" };
  return joinParts([
    new TextEncoder().encode(JSON.stringify(head)),
    ...sources.map(([, content]) => content),
  ]);
}

const headSchema = v.variant("ok", [
  v.object({ ok: v.literal(true), builtins: v.array(v.picklist(PURE_BUILTINS)) }),
  v.object({
    ok: v.literal(false),
    problem: v.picklist(["plugin.import_refused", "plugin.bundle_failed"]),
    message: v.string(),
  }),
]);

/** The head, the code and the source map. */
const ANSWER_PARTS = 3;
/** Of an honest head. Parsing what is more would hold the daemon up. */
const HEAD_SHAPE_MOST = { values: 2 * PURE_BUILTINS.length + 10, depth: 2 };

function readAnswer(bytes: Uint8Array): PluginBundle {
  const [head, code, sourceMap] = splitParts(bytes, ANSWER_PARTS) ?? [];
  const parsed = v.safeParse(headSchema, readHead(head));
  if (!parsed.success) throw crashed("an answer that is none");
  if (!parsed.output.ok) {
    throw fail(parsed.output.problem, printable(parsed.output.message, LIMITS.errorTextChars));
  }
  if (code === undefined || sourceMap === undefined) throw crashed("an answer without code");
  if (code.length > LIMITS.bundleBytes || sourceMap.length > LIMITS.bundleBytes) throw tooLarge();
  const decoder = new TextDecoder();
  return {
    code: decoder.decode(code),
    sourceMap: decoder.decode(sourceMap),
    builtins: [...new Set(parsed.output.builtins)].toSorted(),
  };
}

function readHead(part: Uint8Array | undefined): unknown {
  if (part === undefined || part.length > LIMITS.messageBytes) return undefined;
  const text = new TextDecoder().decode(part);
  const { values, depth } = measureJson(text, HEAD_SHAPE_MOST);
  if (values > HEAD_SHAPE_MOST.values || depth > HEAD_SHAPE_MOST.depth) return undefined;
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}
