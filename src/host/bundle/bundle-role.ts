/**
 * The program in its role `__bundle`: gives up all it can do, then takes a plugin's files from descriptor 3, answers there with the
 * bundle, and ends. Needs no file, no socket and no environment. Called by main.ts.
 */
import { sealProcess } from "../../platform/confine/seal.ts";
import { makeBlockingFrames, type BlockingFrames } from "../frames/blocking-frames.ts";
import { bundleFiles, type BundleOutcome } from "./bundle-files.ts";
import { cutFrames, isLastFrame, joinParts, splitParts } from "./parts.ts";

/** First part of the request; the content of each file follows. */
export interface BundleRequest {
  readonly entry: string;
  readonly paths: readonly string[];
  /** The plugin is to run in the Worker room and nowhere else. */
  readonly worker: boolean;
}

/** First part of the answer. After `ok`, the code and the source map follow. */
export type BundleAnswer =
  | { readonly ok: true; readonly builtins: readonly string[] }
  | { readonly ok: false; readonly problem: string; readonly message: string };

export async function runBundleRole(): Promise<void> {
  // Elsewhere there is nothing to give it up with (see platform/unconfined-process.ts).
  if (process.platform === "linux") sealProcess();
  const link = makeBlockingFrames(LINK);
  const [head, ...contents] = splitParts(readMessage(link), Number.POSITIVE_INFINITY) ?? [];
  const { entry, paths, worker } = JSON.parse(new TextDecoder().decode(head)) as BundleRequest;
  const files = new Map(paths.map((path, i) => [path, contents[i] ?? new Uint8Array(0)]));
  const answer = joinParts(answerParts(await bundleFiles(files, entry, worker)));
  for (const frame of cutFrames(answer)) link.sendBytes(frame);
}

// --- internal ---

const LINK = 3;

function readMessage(link: BlockingFrames): Uint8Array {
  const frames: Uint8Array[] = [];
  for (;;) {
    const frame = link.read();
    if (frame === undefined) throw new RangeError("the request ended in its middle");
    frames.push(frame);
    if (isLastFrame(frame)) return Buffer.concat(frames);
  }
}

function answerParts(outcome: BundleOutcome): Uint8Array[] {
  const encoder = new TextEncoder();
  const isProblem = "problem" in outcome;
  const head: BundleAnswer = isProblem ? { ok: false, ...outcome } : { ok: true, builtins: outcome.builtins };
  const texts = isProblem ? [] : [outcome.code, outcome.sourceMap];
  return [JSON.stringify(head), ...texts].map((text) => encoder.encode(text));
}
