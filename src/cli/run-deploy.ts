/**
 * A deploy as the operator sees it: how it comes up, and Ctrl-C: the first one asks the daemon to undo and waits for it, the second lets
 * go of the connection. Called by commands/deploy.ts and commands/rollback.ts.
 */
import type { Client } from "../api/client.ts";
import type { Item, Output } from "../api/operations.ts";
import { formatDuration } from "../base/duration.ts";
import { fail, messageOf } from "../base/errors.ts";
import { printable } from "../base/text.ts";
import type { Context } from "./command.ts";
import { consume } from "./consume.ts";
import { json } from "./output.ts";
import { makeProgress, type Progress } from "./progress.ts";

export interface DeployRun {
  readonly service: string;
  /** What comes before the deploy begins: an upload. Ended by Ctrl-C. */
  readonly prepare: (client: Client, progress: Progress, signal: AbortSignal) => Promise<Begin>;
}

/** Asks the daemon; from here on it has a deploy that can be cancelled. */
export type Begin = (signal: AbortSignal) => AsyncGenerator<Item<"deploy.run">, DeployOutput, undefined>;

type DeployOutput = Output<"deploy.run">;

export async function runDeploy(
  context: Pick<Context, "io" | "client" | "flags" | "setStatus">,
  run: DeployRun,
): Promise<void> {
  const { io, flags } = context;
  const progress = makeProgress(io, flags.json);
  const end = await follow(context, run, progress);
  await io.stdout.write(flags.json ? json(end) : conclusion(end));
}

// --- internal ---

async function follow(
  context: Pick<Context, "io" | "client" | "setStatus">,
  { service, prepare }: DeployRun,
  progress: Progress,
): Promise<DeployOutput> {
  const client = await context.client();
  const letGo = new AbortController();
  let running = false;
  let interrupted = false;
  const stopListening = context.io.onInterrupt(() => {
    if (interrupted || !running) {
      letGo.abort(fail("operation.interrupted", "interrupted"));
      return;
    }
    interrupted = true;
    void cancel(client, service, progress);
  });
  try {
    const begin = await prepare(client, progress, letGo.signal);
    running = true;
    const end = await consume(begin(letGo.signal), (item) => progress.show(item));
    // Too late to cancel. The caller's script should stop all the same.
    if (interrupted) context.setStatus(INTERRUPTED);
    return end;
  } finally {
    stopListening();
    await progress.clear();
  }
}

const INTERRUPTED = 130;

async function cancel(client: Client, service: string, progress: Progress): Promise<void> {
  try {
    await progress.note("cancelling; press Ctrl-C again to leave without waiting");
    await client.call("deploy.cancel", { service });
  } catch (error) {
    // Most likely it ended in between, and the stream is about to say so.
    await progress.note(`could not cancel: ${messageOf(error)}`).catch(() => {});
  }
}

function conclusion(end: DeployOutput): string {
  if (end.detached) return `${printable(end.deploy)}\n`;
  const address = end.address === null ? "" : ` at ${printable(end.address)}`;
  return `✓ ${printable(end.service)} version ${end.version} runs${address} (${formatDuration(end.durationMs)})\n`;
}
