/**
 * One request to one confined process of this program in its role `__bundle`: frames out, frames in, and an end that always comes,
 * by its answer, its death, the deadline or whoever gave up waiting. Called by bundle-plugin.ts.
 */
import type { Clock } from "../../base/clock.ts";
import { fail, type VoxError } from "../../base/errors.ts";
import { LIMITS } from "../../base/limits.ts";
import { formatBytes } from "../../base/text.ts";
import type { ConfinedProcess, ProcessEnd, StartConfined } from "../../platform/confine/confined-process.ts";
import { openFrameSocket } from "../frames/frame-socket.ts";
import { cutFrames, isLastFrame } from "./parts.ts";

export interface BundlerDeps {
  readonly start: StartConfined;
  readonly clock: Clock;
  /** The bundler's own user; undefined where the process stays what the daemon is. */
  readonly uid: () => number | undefined;
  /** False only where this machine can't confine, and that is no reason not to bundle (see host/confine-or-not.ts). */
  readonly confined: () => boolean;
}

/** Throws `plugin.bundle_failed`, `plugin.too_large`, `confinement.unavailable`, or the signal's reason. */
export async function askBundler(
  deps: BundlerDeps,
  request: Uint8Array,
  signal: AbortSignal | undefined,
): Promise<Uint8Array> {
  const { clock } = deps;
  const child = deps.start({
    role: ["__bundle"],
    profile: "bundler",
    uid: deps.uid(),
    memoryBytes: LIMITS.bundleMemoryBytes,
    cpuMs: 2 * LIMITS.bundleMs,
    confined: deps.confined(),
  });
  const { promise: stopped, reject: stop } = Promise.withResolvers<never>();
  const cancel = clock.after(LIMITS.bundleMs, () => stop(tooLong()));
  const abort = () => stop(signal?.reason);
  signal?.addEventListener("abort", abort, { once: true });
  try {
    return await Promise.race([exchange(child, request), stopped]);
  } finally {
    cancel();
    signal?.removeEventListener("abort", abort);
    child.kill();
  }
}

/** The bundler, or whatever took its place, said or did what it may not. */
export function crashed(how: string): VoxError {
  return fail("plugin.bundle_failed", `the bundler did not survive the plugin's files: it ended with ${how}`);
}

export function tooLarge(): VoxError {
  return fail("plugin.too_large", `the bundle is larger than ${formatBytes(LIMITS.bundleBytes)}`);
}

// --- internal ---

const ANSWER_BYTES_MAX = 2 * LIMITS.bundleBytes + 1024 * 1024;

async function exchange(child: ConfinedProcess, request: Uint8Array): Promise<Uint8Array> {
  const { promise, resolve, reject } = Promise.withResolvers<Uint8Array | undefined>();
  const frames: Uint8Array[] = [];
  let bytes = 0;
  const socket = openFrameSocket(child.descriptor, {
    frame(frame) {
      bytes += frame.length;
      if (bytes > ANSWER_BYTES_MAX) return reject(tooLarge());
      frames.push(frame.slice());
      if (isLastFrame(frame)) resolve(Buffer.concat(frames));
    },
    tooLong: () => reject(crashed("an answer that is none")),
    closed: () => resolve(undefined),
  });
  try {
    for (const frame of cutFrames(request)) socket.sendBytes(frame);
    const answer = await promise;
    if (answer !== undefined) return answer;
    // Not killed here: what it said on its way out tells more than that we ended it.
    throw endFailure(await child.ended);
  } finally {
    socket.close();
  }
}

function endFailure(end: ProcessEnd): VoxError {
  switch (end.kind) {
    case "status":
      return crashed(`exit status ${end.status}`);
    case "signal":
      // So it ends by itself where the kernel gives it no more, before anybody has seen how much it has.
      return end.signal === "SIGABRT" ? tooMuchMemory() : crashed(end.signal);
    case "memory":
      return tooMuchMemory();
    case "threads":
      return fail("plugin.bundle_failed", `bundling started more than ${end.most} threads`);
    case "unconfined":
      return fail(
        "confinement.unavailable",
        `the bundler's process could not be confined: ${end.step}: ${end.reason}`,
      );
  }
}

function tooMuchMemory(): VoxError {
  const limit = formatBytes(LIMITS.bundleMemoryBytes);
  return fail("plugin.bundle_failed", `bundling needed more than ${limit} of memory`);
}

function tooLong(): VoxError {
  return fail("plugin.bundle_failed", `bundling took longer than ${LIMITS.bundleMs / 1000} s`);
}
