/** A deploy as the operator sees it, to its end: what runs now, and where. Called by commands/deploy.ts and commands/rollback.ts. */
import type { Output } from "../api/operations.ts";
import { formatDuration } from "../base/duration.ts";
import { printable } from "../base/text.ts";
import { runCancellable, type CancellableWork } from "./cancellable-work.ts";
import type { Context } from "./command.ts";
import { json } from "./output.ts";

export interface DeployRun {
  readonly service: string;
  readonly prepare: CancellableWork<DeployOutput>["prepare"];
}

type DeployOutput = Output<"deploy.run">;

export async function runDeploy(
  context: Pick<Context, "io" | "client" | "flags" | "setStatus">,
  { service, prepare }: DeployRun,
): Promise<void> {
  const { io, flags } = context;
  const end = await runCancellable(context, {
    prepare,
    cancel: (client) => client.call("deploy.cancel", { service }),
  });
  await io.stdout.write(flags.json ? json(end) : conclusion(end));
}

// --- internal ---

function conclusion(end: DeployOutput): string {
  if (end.detached) return `${printable(end.deploy)}\n`;
  const address = end.address === null ? "" : ` at ${printable(end.address)}`;
  return `✓ ${printable(end.service)} version ${end.version} runs${address} (${formatDuration(end.durationMs)})\n`;
}
