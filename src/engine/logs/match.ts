/**
 * Which lines of a block of a log somebody wants. Texts are looked for as they are, never as patterns: a pattern from outside could
 * keep the daemon busy for ever. Pure. Called by read.ts.
 */
import { timestamp } from "../../base/clock.ts";
import { LOG_LEVELS, type LogLevel } from "../../base/log.ts";
import type { OutputStream } from "../providers/provider.ts";
import { levelOf } from "./level.ts";
import { POSITIONS_MARK, STDERR_MARK, STREAM_AT, type ServiceLogLine } from "./stored-line.ts";

/** What is absent is not asked for. */
export interface LogFilter {
  readonly sinceMs?: number | undefined;
  readonly untilMs?: number | undefined;
  /** This level and what is more serious. */
  readonly level?: LogLevel | undefined;
  /** Stands in the line. */
  readonly search?: string | undefined;
  /** Capital or not does not matter. */
  readonly ignoreCase?: boolean | undefined;
  readonly stream?: OutputStream | undefined;
  readonly version?: number | undefined;
}

export interface FoundLine extends ServiceLogLine {
  /** Where it begins in the block. */
  readonly offset: number;
}

export type Matcher = (block: Buffer) => readonly FoundLine[];

/** Blocks have whole lines. */
export function makeMatcher(filter: LogFilter): Matcher {
  const { level, stream, version } = filter;
  const since = filter.sinceMs === undefined ? "" : timestamp(filter.sinceMs);
  const until = filter.untilMs === undefined ? "~" : timestamp(filter.untilMs);
  const least = level === undefined ? 0 : LOG_LEVELS.indexOf(level);
  const search = makeSearch(filter);

  function lineAt(block: Buffer, offset: number, end: number): FoundLine | undefined {
    const at = block.toString("latin1", offset, offset + STREAM_AT - 1);
    if (at < since || at > until) return undefined;
    const from = block[offset + STREAM_AT] === STDERR_MARK ? "stderr" : "stdout";
    if (stream !== undefined && from !== stream) return undefined;
    const space = block.indexOf(BLANK, offset + STREAM_AT);
    if (space < 0 || space > end) return undefined;
    const found = Number(block.toString("latin1", offset + STREAM_AT + 1, space));
    if (version !== undefined && found !== version) return undefined;
    const text = block.toString("utf8", space + 1, end);
    if (!search(text)) return undefined;
    const lineLevel = levelOf(text, from);
    if (LOG_LEVELS.indexOf(lineLevel) < least) return undefined;
    return { at, level: lineLevel, stream: from, text, version: found, offset };
  }

  return (block) => {
    const found: FoundLine[] = [];
    if (filter.search !== undefined && !search(block.toString("utf8", 0, block.length))) return found;
    for (let offset = 0; offset < block.length;) {
      const newline = block.indexOf(NEWLINE, offset);
      const end = newline < 0 ? block.length : newline;
      const line = block[offset] === POSITIONS_MARK ? undefined : lineAt(block, offset, end);
      if (line !== undefined) found.push(line);
      offset = end + 1;
    }
    return found;
  };
}

// --- internal ---

const NEWLINE = 0x0a;
const BLANK = 0x20;

function makeSearch({ search, ignoreCase }: LogFilter): (text: string) => boolean {
  if (search === undefined || search === "") return () => true;
  if (ignoreCase !== true) return (text) => text.includes(search);
  const wanted = search.toLowerCase();
  return (text) => text.toLowerCase().includes(wanted);
}
