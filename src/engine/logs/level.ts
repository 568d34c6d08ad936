/**
 * How serious is a line? Programs say so in a few common ways: JSON, logfmt, `[ERROR]`, `ERROR:`, klog, a priority of syslog. The
 * first that is found decides, else the stream: what goes to stderr is taken for an error. Pure, and it looks at the beginning of
 * a line only, so that no line is expensive. Called by match.ts.
 */
import type { LogLevel } from "../../base/log.ts";
import type { OutputStream } from "../providers/provider.ts";

export function levelOf(text: string, stream: OutputStream): LogLevel {
  const head = text.length > HEAD_CHARS ? text.slice(0, HEAD_CHARS) : text;
  return (
    (head.startsWith("{") ? levelInJson(text, head) : levelInText(head)) ??
    (stream === "stderr" ? "error" : "info")
  );
}

// --- internal ---

const HEAD_CHARS = 256;
/** JSON beyond this is looked at as text: parsing it would cost more than the answer is worth. */
const JSON_CHARS = 8 * 1024;

const WORDS: Readonly<Record<string, LogLevel>> = {
  trace: "debug",
  trc: "debug",
  verbose: "debug",
  debug: "debug",
  dbg: "debug",
  info: "info",
  inf: "info",
  information: "info",
  informational: "info",
  log: "info",
  notice: "info",
  default: "info",
  warn: "warn",
  wrn: "warn",
  warning: "warn",
  error: "error",
  err: "error",
  fatal: "error",
  ftl: "error",
  critical: "error",
  crit: "error",
  severe: "error",
  panic: "error",
  alert: "error",
  emerg: "error",
  emergency: "error",
};

/** Of syslog: 0 emergency … 7 debug. */
const SYSLOG: readonly LogLevel[] = ["error", "error", "error", "error", "warn", "info", "info", "debug"];
/** Of pino and bunyan: 10 trace … 60 fatal. */
const TENS: Readonly<Record<number, LogLevel>> = {
  10: "debug",
  20: "debug",
  30: "info",
  40: "warn",
  50: "error",
  60: "error",
};
const KLOG: Readonly<Record<string, LogLevel>> = { I: "info", W: "warn", E: "error", F: "error" };

const FIELDS = ["level", "severity", "lvl", "loglevel", "log.level", "levelname", "@level"];

function levelInJson(text: string, head: string): LogLevel | undefined {
  if (text.length > JSON_CHARS) return levelInText(head);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return levelInText(head);
  }
  if (typeof value !== "object" || value === null) return undefined;
  for (const field of FIELDS) {
    if (!Object.hasOwn(value, field)) continue;
    const found = levelNamed((value as Record<string, unknown>)[field]);
    if (found !== undefined) return found;
  }
  return undefined;
}

function levelNamed(value: unknown): LogLevel | undefined {
  if (typeof value === "number") return TENS[value] ?? SYSLOG[value];
  if (typeof value !== "string") return undefined;
  const word = value.toLowerCase();
  return Object.hasOwn(WORDS, word) ? WORDS[word] : undefined;
}

// Each of these looks for one thing at places that it can tell at once; none can go back and try again.
const LOGFMT = /(?:^|\s)(?:level|lvl|severity)="?([a-z]{3,13})\b/i;
const QUOTED = /"(?:level|lvl|severity)"\s{0,4}:\s{0,4}"([a-z]{3,13})"/i;
const KLOG_HEAD = /^([IWEF])\d{4} \d\d:\d\d:\d\d/;
const PRIORITY = /^<(\d{1,3})>/;
const BRACKETED = /[[(|]\s?([a-z]{3,13})\s?[\])|]/gi;
/** At the line's beginning, behind a time or a name at most: `ERROR: no`, `2026-01-31 08:00:00 WARN x`, `npm error`. */
const LEADING =
  /^(?:[\d\-/:.,TZ+ ]{0,40})(?:[a-z]{1,20} )?(trace|debug|info|notice|warn|warning|error|err|fatal|critical|panic)\b(:?)/i;
const UPPER = /(?:^|\s)(TRACE|DEBUG|INFO|NOTICE|WARN|WARNING|ERROR|FATAL|CRITICAL|PANIC)(?:$|[\s:\]])/;

function levelInText(head: string): LogLevel | undefined {
  const text = head.includes("\u001B") ? Bun.stripANSI(head) : head;
  const named = (LOGFMT.exec(text) ?? QUOTED.exec(text))?.[1];
  if (named !== undefined && Object.hasOwn(WORDS, named.toLowerCase())) return WORDS[named.toLowerCase()];
  const priority = PRIORITY.exec(text)?.[1];
  if (priority !== undefined) return SYSLOG[Number(priority) % 8];
  const klog = KLOG_HEAD.exec(text)?.[1];
  if (klog !== undefined) return KLOG[klog];
  for (const [, word = ""] of text.matchAll(BRACKETED)) {
    if (Object.hasOwn(WORDS, word.toLowerCase())) return WORDS[word.toLowerCase()];
  }
  const upper = UPPER.exec(text)?.[1];
  if (upper !== undefined) return WORDS[upper.toLowerCase()];
  const [, leading, colon] = LEADING.exec(text) ?? [];
  // In small letters it may be a word of a sentence, unless a colon or the line's first place says otherwise.
  if (leading !== undefined && (colon === ":" || text.startsWith(leading)))
    return WORDS[leading.toLowerCase()];
  return undefined;
}
