/**
 * Bundles a plugin in a process of its own and takes what comes back as a stranger's word. The daemon parses no byte of a plugin's
 * code: sources go out as frames, the bundle comes in as frames. Composed by the daemon, called at install.
 */
import * as v from "valibot";
import { systemClock, type Clock } from "../../base/clock.ts";
import { fail, type VoxError } from "../../base/errors.ts";
import { LIMITS } from "../../base/limits.ts";
import { formatBytes, printable, quote } from "../../base/text.ts";
import { readMemoryInUse } from "../../platform/process-memory.ts";
import { selfCommand } from "../../platform/self.ts";
import type { BundleRequest } from "./bundle-role.ts";
import { joinFrames, splitFrames } from "./frames.ts";
import { sourceLoader } from "./source-kinds.ts";

/**
 * Gives one module as text, whose default export is the plugin, and its source map.
 *
 * Throws `plugin.import_refused` (file, line, specifier and what is allowed), `plugin.bundle_failed` (file, line, column),
 * `plugin.too_large`, or the signal's reason. It may take LIMITS.bundleMs and LIMITS.bundleMemoryBytes.
 */
export type BundlePlugin = (
  files: ReadonlyMap<string, Uint8Array>,
  entry: string,
  signal?: AbortSignal,
) => Promise<PluginBundle>;

export interface PluginBundle {
  readonly code: string;
  readonly sourceMap: string;
}

export interface BundlerDeps {
  /** `selfCommand("__bundle")`. */
  readonly command: readonly string[];
  /** A folder that the process may read and in which nothing lies that could configure it. */
  readonly cwd: string;
  readonly clock: Clock;
}

export function makeBundler(deps: BundlerDeps): BundlePlugin {
  return async (files, entry, signal) => {
    signal?.throwIfAborted();
    const request = requestFrames(files, entry);
    return readAnswer(await runChild(deps, request, signal));
  };
}

/** The bundler as the daemon uses it: this program in its role `__bundle`, at the root folder, where nothing configures it. */
export const bundlePlugin: BundlePlugin = makeBundler({
  command: selfCommand("__bundle"),
  cwd: "/",
  clock: systemClock,
});

// --- internal ---

const ANSWER_BYTES_MAX = 2 * LIMITS.bundleBytes + 1024 * 1024;

function requestFrames(files: ReadonlyMap<string, Uint8Array>, entry: string): Uint8Array<ArrayBuffer> {
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
  const head: BundleRequest = { entry, paths: sources.map(([path]) => path) };
  return joinFrames([
    new TextEncoder().encode(JSON.stringify(head)),
    ...sources.map(([, content]) => content),
  ]);
}

async function runChild(
  { command, cwd, clock }: BundlerDeps,
  request: Uint8Array<ArrayBuffer>,
  signal: AbortSignal | undefined,
): Promise<Uint8Array> {
  let end: unknown;
  const child = Bun.spawn([...command], { cwd, env: {}, stdin: request, stdout: "pipe", stderr: "ignore" });
  const kill = (reason: unknown) => {
    end ??= reason;
    child.kill("SIGKILL");
  };
  const late = () =>
    kill(fail("plugin.bundle_failed", `bundling took longer than ${LIMITS.bundleMs / 1000} s`));
  const cancel = clock.after(LIMITS.bundleMs, late);
  const stopLooking = watchMemory(
    clock,
    () => readMemoryInUse(child.pid),
    () => kill(tooMuchMemory()),
  );
  const abort = () => kill(signal?.reason);
  signal?.addEventListener("abort", abort, { once: true });
  try {
    const answer = await readBounded(child.stdout, () => kill(tooLarge()));
    const status = await child.exited;
    if (end !== undefined) throw end;
    if (status !== 0)
      throw crashed(child.signalCode === null ? `exit status ${status}` : String(child.signalCode));
    return answer;
  } finally {
    cancel();
    stopLooking();
    signal?.removeEventListener("abort", abort);
    child.kill("SIGKILL");
  }
}

/** A few lines of code can fold to a text of gigabytes, and the machine's memory is everybody's. */
function watchMemory(clock: Clock, inUse: () => number | undefined, tooMuch: () => void): () => void {
  let cancel = (): void => {};
  function look(): void {
    if ((inUse() ?? 0) > LIMITS.bundleMemoryBytes) tooMuch();
    else cancel = clock.after(LIMITS.bundleMemoryLookMs, look);
  }
  look();
  return () => cancel();
}

async function readBounded(stream: ReadableStream<Uint8Array>, onTooLarge: () => void): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of stream) {
    bytes += chunk.length;
    if (bytes > ANSWER_BYTES_MAX) {
      onTooLarge();
      break;
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

const headSchema = v.variant("ok", [
  v.object({ ok: v.literal(true) }),
  v.object({
    ok: v.literal(false),
    problem: v.picklist(["plugin.import_refused", "plugin.bundle_failed"]),
    message: v.string(),
  }),
]);

function readAnswer(bytes: Uint8Array): PluginBundle {
  const [head, code, sourceMap] = splitFrames(bytes) ?? [];
  const parsed = v.safeParse(headSchema, readHead(head));
  if (!parsed.success) throw crashed("an answer that is none");
  if (!parsed.output.ok) {
    throw fail(parsed.output.problem, printable(parsed.output.message, LIMITS.errorTextChars));
  }
  if (code === undefined || sourceMap === undefined) throw crashed("an answer without code");
  if (code.length > LIMITS.bundleBytes || sourceMap.length > LIMITS.bundleBytes) throw tooLarge();
  const decoder = new TextDecoder();
  return { code: decoder.decode(code), sourceMap: decoder.decode(sourceMap) };
}

function readHead(frame: Uint8Array | undefined): unknown {
  if (frame === undefined || frame.length > LIMITS.messageBytes) return undefined;
  try {
    return JSON.parse(new TextDecoder().decode(frame)) as unknown;
  } catch {
    return undefined;
  }
}

function crashed(how: string): VoxError {
  return fail("plugin.bundle_failed", `the bundler did not survive the plugin's files: it ended with ${how}`);
}

function tooMuchMemory(): VoxError {
  return fail(
    "plugin.bundle_failed",
    `bundling needed more than ${formatBytes(LIMITS.bundleMemoryBytes)} of memory`,
  );
}

function tooLarge(): VoxError {
  return fail("plugin.too_large", `the bundle is larger than ${formatBytes(LIMITS.bundleBytes)}`);
}
