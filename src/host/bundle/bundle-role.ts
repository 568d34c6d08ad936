/**
 * The program in its role `__bundle`: reads a plugin's files as frames from stdin, writes the bundle as frames to stdout, and ends.
 * Needs no file, no socket and no environment. Called by main.ts.
 */
import { bundleFiles, type BundleOutcome } from "./bundle-files.ts";
import { joinFrames, splitFrames } from "./frames.ts";

/** First frame of the request; one frame with the bytes of each file follows. */
export interface BundleRequest {
  readonly entry: string;
  readonly paths: readonly string[];
}

/** First frame of the answer. After `ok`, a frame with the code and one with the source map follow. */
export type BundleAnswer =
  | { readonly ok: true }
  | { readonly ok: false; readonly problem: string; readonly message: string };

export async function runBundleRole(): Promise<void> {
  const [head, ...contents] = splitFrames(new Uint8Array(await Bun.stdin.arrayBuffer())) ?? [];
  const { entry, paths } = JSON.parse(new TextDecoder().decode(head)) as BundleRequest;
  const files = new Map(paths.map((path, i) => [path, contents[i] ?? new Uint8Array(0)]));
  await Bun.write(Bun.stdout, answerFrames(await bundleFiles(files, entry)));
}

// --- internal ---

function answerFrames(outcome: BundleOutcome): Uint8Array<ArrayBuffer> {
  const encoder = new TextEncoder();
  const head: BundleAnswer = "problem" in outcome ? { ok: false, ...outcome } : { ok: true };
  const texts = "problem" in outcome ? [] : [outcome.code, outcome.sourceMap];
  return joinFrames([JSON.stringify(head), ...texts].map((text) => encoder.encode(text)));
}
