/** The shapes of what a provider's optional actions answer, as docs/exec.md has them: what is wrong with one, in words. Pure. Called by provider-options.ts. */
import * as v from "valibot";

/** Undefined where it is right. */
export function problemOfLogs(result: unknown): string | undefined {
  return problemOf(
    v.union([v.string(), v.object({ lines: v.array(line), position: v.optional(v.string()) })]),
    result,
  );
}

export function problemOfStats(result: unknown): string | undefined {
  return problemOf(stats, result);
}

/** What a command ended with; a text: what is wrong with the answer. */
export function execAnswer(result: unknown): { readonly status: number; readonly stdout: string } | string {
  const parsed = v.safeParse(exec, result);
  if (!parsed.success) return problemOf(exec, result) ?? "";
  const { exit_code: status, stdout, stdout_b64 } = parsed.output;
  return { status, stdout: stdout ?? Buffer.from(stdout_b64 ?? "", "base64").toString("utf8") };
}

// --- internal ---

const line = v.object({ text: v.string(), at: v.optional(v.string()), stream: v.optional(v.string()) });
const amount = v.pipe(v.number(), v.minValue(0));
const stats = v.object({
  cpu_seconds: amount,
  memory_bytes: amount,
  ...Object.fromEntries(
    [
      "memory_limit_bytes",
      "network_rx_bytes",
      "network_tx_bytes",
      "block_read_bytes",
      "block_write_bytes",
    ].map((key) => [key, v.optional(amount)]),
  ),
  run: v.optional(v.string()),
});
const exec = v.object({
  exit_code: v.pipe(v.number(), v.integer()),
  stdout: v.optional(v.string()),
  stderr: v.optional(v.string()),
  stdout_b64: v.optional(v.pipe(v.string(), v.base64())),
  stderr_b64: v.optional(v.pipe(v.string(), v.base64())),
});

function problemOf(schema: v.GenericSchema, result: unknown): string | undefined {
  const parsed = v.safeParse(schema, result, { abortEarly: true });
  if (parsed.success) return undefined;
  const [issue] = parsed.issues;
  const key = (issue.path ?? []).map((item) => String(item.key)).join(".");
  return `${key === "" ? "the result" : key}: ${issue.message.replace(/^Invalid \w+: /, "")}`;
}
