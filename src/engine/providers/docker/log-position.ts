/**
 * Where somebody stopped reading a container's log. The engine can't go on at a place, only at a time, so the last message is
 * known by its stamp, its stream, and how many before it had both; and how much of each stream's last line, which had no end yet,
 * was not given out. Pure. Called by logs.ts and log-reader.ts.
 */
import type { OutputStream } from "../provider.ts";

export interface LogPosition {
  /** As the engine wrote it: RFC 3339 with nanoseconds. */
  readonly stamp: string;
  readonly stream: OutputStream;
  /** Messages of this stream with this stamp, up to this one. */
  readonly count: number;
  /** Bytes of unfinished lines. */
  readonly open: { readonly [S in OutputStream]: number };
}

export function formatLogPosition({ stamp, stream, count, open }: LogPosition): string {
  return [stamp, stream, count, open.stdout, open.stderr].join(",");
}

/** Nothing for what is no position: the log is then read from its beginning. */
export function parseLogPosition(text: string | undefined): LogPosition | undefined {
  const [, stamp = "", stream, count, stdout, stderr] = PATTERN.exec(text ?? "") ?? [];
  if (stream !== "stdout" && stream !== "stderr") return undefined;
  return { stamp, stream, count: Number(count), open: { stdout: Number(stdout), stderr: Number(stderr) } };
}

// --- internal ---

const PATTERN = /^(\d{4}-[\dT:.-]+Z),(stdout|stderr),(\d+),(\d+),(\d+)$/;
