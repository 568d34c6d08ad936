/** The last lines that an instance wrote, for the error of a deploy that failed. Never fails itself. Called by health.ts. */
import type { Clock } from "../../base/clock.ts";
import { LIMITS } from "../../base/limits.ts";
import type { Redact } from "../../base/redact.ts";
import { printable } from "../../base/text.ts";
import { bounded } from "../bounded.ts";
import type { Provider } from "../providers/provider.ts";

export async function lastLines(
  provider: Provider,
  instance: string,
  redact: Redact,
  clock: Clock,
): Promise<string[]> {
  const stop = new AbortController();
  const lines: string[] = [];
  const bounds = { clock, timeoutMs: LIMITS.providerStatusMs, who: provider.name };
  try {
    await bounded(collect(provider, instance, lines, stop.signal), bounds);
  } catch {
    // What came until then is better than nothing.
  } finally {
    stop.abort();
  }
  // Before a line is cut: half a secret is still one.
  return lines.map((line) => printable(redact(line), LINE_CHARS));
}

// --- internal ---

const LINE_CHARS = 500;

async function collect(
  provider: Provider,
  instance: string,
  lines: string[],
  signal: AbortSignal,
): Promise<void> {
  const options = { follow: false, tail: LIMITS.deployLogLines, signal };
  for await (const line of provider.logs(instance, options)) {
    lines.push(line.text);
    if (lines.length > LIMITS.deployLogLines) lines.shift();
  }
}
