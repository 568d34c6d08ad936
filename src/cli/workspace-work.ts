/** Shows how a workspace is made or started. Called by the commands that make and start workspaces. */
import type { Input, WorkspaceDetails } from "../api/operations.ts";
import { runCancellable } from "./cancellable-work.ts";
import type { Context } from "./command.ts";

export function workOnWorkspace<N extends "workspace.create" | "workspace.start">(
  context: Pick<Context, "io" | "client" | "flags" | "setStatus">,
  operation: N,
  input: Input<N>,
): Promise<WorkspaceDetails> {
  return runCancellable<WorkspaceDetails>(context, {
    prepare: async (client) => (signal) => client.stream(operation, input, { signal }),
    cancel: (client) => client.call("workspace.cancel", { name: input.name }),
  });
}
