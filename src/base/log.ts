/**
 * The daemon's own log: one line an entry, on a sink that is passed in. Text for people, JSON for collectors.
 * Callers log at the edges only; below them, errors are returned or thrown. Never give it a secret.
 */
import { timestamp, type Clock } from "./clock.ts";

export const LOG_LEVELS = ["debug", "info", "warn", "error"] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

export type LogFields = Readonly<Record<string, unknown>>;

export interface Log {
  debug(text: string, fields?: LogFields): void;
  info(text: string, fields?: LogFields): void;
  warn(text: string, fields?: LogFields): void;
  error(text: string, fields?: LogFields): void;
  /** The same log with `fields` on every line. */
  with(fields: LogFields): Log;
}

export interface LogOptions {
  /** Asked at each line, so that a reload can change it. */
  readonly level: () => LogLevel;
  readonly format: "text" | "json";
  readonly clock: Clock;
  readonly write: (line: string) => void;
}

export function makeLog(options: LogOptions, fields: LogFields = {}): Log {
  function line(level: LogLevel, text: string, more: LogFields = {}): void {
    if (LOG_LEVELS.indexOf(level) < LOG_LEVELS.indexOf(options.level())) return;
    const entry = { ...fields, ...more };
    const at = timestamp(options.clock.now());
    options.write(
      options.format === "json"
        ? `${JSON.stringify({ at, level, text, ...entry })}\n`
        : `${at} ${level.padEnd(5)} ${text}${fieldsText(entry)}\n`,
    );
  }
  return {
    debug: (text, more) => line("debug", text, more),
    info: (text, more) => line("info", text, more),
    warn: (text, more) => line("warn", text, more),
    error: (text, more) => line("error", text, more),
    with: (more) => makeLog(options, { ...fields, ...more }),
  };
}

/** For tests and for code that has no one to tell. */
export const silentLog: Log = { debug() {}, info() {}, warn() {}, error() {}, with: () => silentLog };

// --- internal ---

function fieldsText(fields: LogFields): string {
  return Object.entries(fields)
    .filter(([, value]) => value !== undefined)
    .map(
      ([key, value]) =>
        ` ${key}=${typeof value === "string" && /^[\w.:/@-]+$/.test(value) ? value : JSON.stringify(value)}`,
    )
    .join("");
}
