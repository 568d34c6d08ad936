/**
 * Shows how a workspace is made or started. The first Ctrl-C asks the daemon to take it back and waits for that; the second lets go of
 * the connection. Called by the commands that make and start workspaces.
 */
import type { Client } from "../api/client.ts";
import type { Input, WorkspaceDetails } from "../api/operations.ts";
import { fail, messageOf } from "../base/errors.ts";
import type { Context } from "./command.ts";
import { consume } from "./consume.ts";
import { makeProgress, type Progress } from "./progress.ts";

export async function workOnWorkspace<N extends "workspace.create" | "workspace.start">(
  context: Pick<Context, "io" | "client" | "flags" | "setStatus">,
  operation: N,
  input: Input<N>,
): Promise<WorkspaceDetails> {
  const progress = makeProgress(context.io, context.flags.json);
  const client = await context.client();
  const letGo = new AbortController();
  let isInterrupted = false;
  const stopListening = context.io.onInterrupt(() => {
    if (isInterrupted) return letGo.abort(fail("operation.interrupted", "interrupted"));
    isInterrupted = true;
    void cancel(client, input.name, progress);
  });
  try {
    const stream = client.stream(operation, input, { signal: letGo.signal });
    const end = await consume(stream, (item) => progress.show(item));
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

async function cancel(client: Client, name: string, progress: Progress): Promise<void> {
  try {
    await progress.note("cancelling; press Ctrl-C again to leave without waiting");
    await client.call("workspace.cancel", { name });
  } catch (error) {
    // Most likely it ended in between, and the stream is about to say so.
    await progress.note(`could not cancel: ${messageOf(error)}`).catch(() => {});
  }
}
