/**
 * What a workspace wrote, straight from its provider: nothing of it is kept here, and looking takes nothing away. Called by
 * workspaces.ts and work.ts.
 */
import { timestamp } from "../../base/clock.ts";
import { LIMITS } from "../../base/limits.ts";
import type { LogLevel } from "../../base/log.ts";
import { printable } from "../../base/text.ts";
import { bounded } from "../bounded.ts";
import { levelOf } from "../logs/level.ts";
import type { OutputStream, Provider } from "../providers/provider.ts";
import type { WorkspaceDeps } from "./workspace-deps.ts";

export interface WorkspaceLogLine {
  /** RFC 3339, UTC, to the millisecond. */
  readonly at: string;
  /** As far as the line's own text says; otherwise by its stream. */
  readonly level: LogLevel;
  readonly stream: OutputStream;
  readonly text: string;
}

export interface WorkspaceLogQuery {
  /** The last so many; absent: all that its provider keeps. */
  readonly lines?: number | undefined;
  /** Then what comes, until it stops. */
  readonly follow: boolean;
  readonly signal: AbortSignal;
}

export async function* readLogs(
  provider: Provider,
  instance: string,
  { lines, follow, signal }: WorkspaceLogQuery,
  { redaction }: Pick<WorkspaceDeps, "redaction">,
): AsyncGenerator<WorkspaceLogLine> {
  const look = { tail: lines, follow };
  for await (const { parts } of provider.logs(instance, { from: undefined, look, signal }))
    for (const { stream, atMs, text } of parts)
      // Before it is cut into lines: a secret may have several.
      for (const line of redaction.all(text).split("\n")) {
        if (signal.aborted) return;
        yield { at: timestamp(atMs), level: levelOf(line, stream), stream, text: line };
      }
}

/** The last lines, fit for a terminal. Never fails. */
export async function lastLines(
  provider: Provider,
  instance: string,
  deps: Pick<WorkspaceDeps, "redaction" | "clock">,
): Promise<readonly string[]> {
  const { signal } = new AbortController();
  const query = { lines: LIMITS.deployLogLines, follow: false, signal };
  const lines: string[] = [];
  async function collect(): Promise<void> {
    for await (const { text } of readLogs(provider, instance, query, deps))
      lines.push(printable(text, LAST_LINE_CHARS));
  }
  const bounds = { clock: deps.clock, timeoutMs: LIMITS.providerStatusMs, who: provider.name };
  await bounded(collect(), bounds).catch(() => {});
  return lines.slice(-LIMITS.deployLogLines);
}

// --- internal ---

const LAST_LINE_CHARS = 500;
