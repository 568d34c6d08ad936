/**
 * Work of the daemon that the operator waits for, and Ctrl-C: the first one asks the daemon to take it back and waits for that, the second
 * lets go of the connection. Called by run-deploy.ts and workspace-work.ts.
 */
import type { Client } from "../api/client.ts";
import { fail, messageOf } from "../base/errors.ts";
import type { Context } from "./command.ts";
import { consume } from "./consume.ts";
import { makeProgress, type Progress } from "./progress.ts";

export interface CancellableWork<T> {
  /** What comes before the daemon has anything to take back, such as an upload. Ended by Ctrl-C. */
  readonly prepare: (client: Client, progress: Progress, signal: AbortSignal) => Promise<Begin<T>>;
  /** Asks the daemon to take it back. */
  readonly cancel: (client: Client) => Promise<unknown>;
}

/** Asks the daemon; from here on it can be cancelled. */
export type Begin<T> = (signal: AbortSignal) => AsyncGenerator<Step, T, undefined>;

type Step = Parameters<Progress["show"]>[0];

export async function runCancellable<T>(
  context: Pick<Context, "io" | "client" | "flags" | "setStatus">,
  work: CancellableWork<T>,
): Promise<T> {
  const progress = makeProgress(context.io, context.flags.json);
  const client = await context.client();
  const letGo = new AbortController();
  let isRunning = false;
  let isInterrupted = false;
  const stopListening = context.io.onInterrupt(() => {
    if (isInterrupted || !isRunning) return letGo.abort(fail("operation.interrupted", "interrupted"));
    isInterrupted = true;
    void cancel(() => work.cancel(client), progress);
  });
  try {
    const begin = await work.prepare(client, progress, letGo.signal);
    isRunning = true;
    const end = await consume(begin(letGo.signal), (step) => progress.show(step));
    // Too late to take it back. The caller's script should stop all the same.
    if (isInterrupted) context.setStatus(INTERRUPTED);
    return end;
  } finally {
    stopListening();
    await progress.clear();
  }
}

// --- internal ---

const INTERRUPTED = 130;

async function cancel(ask: () => Promise<unknown>, progress: Progress): Promise<void> {
  try {
    await progress.note("cancelling; press Ctrl-C again to leave without waiting");
    await ask();
  } catch (error) {
    // Most likely it ended in between, and the stream is about to say so.
    await progress.note(`could not cancel: ${messageOf(error)}`).catch(() => {});
  }
}
