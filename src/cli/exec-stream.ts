/** What `exec` and `workspace exec` have in common: input in, output out as it comes, the command's own exit status. */
import type { Client } from "../api/client.ts";
import { LIMITS } from "../base/limits.ts";
import type { Context, Option } from "./command.ts";
import { consume } from "./consume.ts";
import { jsonLine } from "./output.ts";

export const STDIN_OPTION = {
  type: "flag",
  short: "i",
  summary: "pass standard input on, read to its end; 1 MiB at most",
} as const satisfies Option;

export async function runInside(
  context: Pick<Context, "io" | "rest" | "flags" | "client" | "setStatus">,
  operation: "service.exec" | "workspace.exec",
  name: string,
  hasStdin: boolean,
): Promise<void> {
  const { io, rest, flags } = context;
  const stdin = hasStdin ? await io.stdin.readAll(LIMITS.execStdinBytes) : undefined;
  const client: Client = await context.client();
  const stream = client.stream(operation, {
    name,
    command: [...rest],
    ...(stdin === undefined ? {} : { stdin: Buffer.from(stdin).toString("base64") }),
  });
  const end = await consume(stream, (chunk) => {
    if (flags.json) return io.stdout.write(jsonLine(chunk));
    return (chunk.stream === "stderr" ? io.stderr : io.stdout).write(Buffer.from(chunk.b64, "base64"));
  });
  if (flags.json) await io.stdout.write(jsonLine(end));
  context.setStatus(end.exitCode);
}
