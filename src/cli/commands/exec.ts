/** `exec`: run a command inside a service's instance, with its output, its input and its exit status. */
import { argument, command } from "../command.ts";
import { runInside, STDIN_OPTION } from "../exec-stream.ts";

export const exec = command({
  words: "exec",
  summary: "run a command inside a service",
  args: [{ name: "service" }, { name: "-- command", rest: true }],
  options: { stdin: STDIN_OPTION },
  example: "voxeltron exec web -- ls -la /app\nvoxeltron exec -i db -- psql < dump.sql",
  notes: ["The exit status is the command's own."],
  run: (context) => runInside(context, "service.exec", argument(context, "service"), context.options.stdin),
});
