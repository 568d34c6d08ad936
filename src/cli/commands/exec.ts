/** `exec`: run a command inside a service's instance, with its output, its input and its exit status. */
import { LIMITS } from "../../base/limits.ts";
import { argument, command } from "../command.ts";
import { consume } from "../consume.ts";
import { jsonLine } from "../output.ts";

export const exec = command({
  words: "exec",
  summary: "run a command inside a service",
  args: [{ name: "service" }, { name: "-- command", rest: true }],
  options: {
    stdin: { type: "flag", short: "i", summary: "pass standard input on, read to its end; 1 MiB at most" },
  },
  example: "voxeltron exec web -- ls -la /app\nvoxeltron exec -i db -- psql < dump.sql",
  notes: ["The exit status is the command's own."],
  async run(context) {
    const { io, rest, flags, options } = context;
    const stdin = options.stdin ? await io.stdin.readAll(LIMITS.execStdinBytes) : undefined;
    const client = await context.client();
    const stream = client.stream("service.exec", {
      name: argument(context, "service"),
      command: [...rest],
      ...(stdin === undefined ? {} : { stdin: Buffer.from(stdin).toString("base64") }),
    });
    const end = await consume(stream, (chunk) => {
      if (flags.json) return io.stdout.write(jsonLine(chunk));
      return (chunk.stream === "stderr" ? io.stderr : io.stdout).write(Buffer.from(chunk.b64, "base64"));
    });
    if (flags.json) await io.stdout.write(jsonLine(end));
    context.setStatus(end.exitCode);
  },
});
