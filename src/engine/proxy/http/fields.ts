/**
 * The lines of an HTTP/1.1 head, read as strictly as the standard allows: what two programs could read differently is refused, as
 * that is how requests are smuggled. Lines that say something to the proxy are taken out; the others stay the text that they are,
 * which is what makes it fast. Pure. Called by request-head.ts and response-head.ts.
 */
import { LIMITS } from "../../../base/limits.ts";

/** How long a body is; undefined: there is none, and no length was said. */
export type BodyFraming = number | "chunked" | undefined;

/** Why a head can't be taken, and the status that says it. */
export class Refusal {
  readonly status: number;
  readonly reason: string;

  constructor(status: number, reason: string) {
    this.status = status;
    this.reason = reason;
  }
}

export interface Lines {
  /** Those that are not for the proxy, as they came, each with its end. */
  readonly kept: string;
  /** By lower-case name, with dashes for underscores: the value of the only line with that name, or false where there are more. */
  readonly special: ReadonlyMap<string, string | false>;
  /** All that `Connection` lists, in lower case. */
  readonly connection: ReadonlySet<string>;
}

/** The lines from `from` on; `head` ends with the end of its last line. A text says what is wrong. */
export function readLines(head: string, from: number): Lines | string {
  let count = 0;
  LINE.lastIndex = from;
  for (let at = from; at < head.length; at = LINE.lastIndex)
    if (!LINE.test(head)) return "a header line that is none";
    else if (++count > LIMITS.proxyFields) return TOO_MANY;
  const special = new Map<string, string | false>();
  let connection = NONE;
  let kept = head.slice(from).replaceAll(SPECIAL, (_line, name: string, text: string) => {
    const key = name.toLowerCase().replaceAll("_", "-");
    const value = trimmed(text);
    if (key === "connection") connection = new Set([...connection, ...listOf(value)]);
    special.set(key, special.has(key) ? false : value);
    return "";
  });
  for (const name of connection) if (!WELL_KNOWN.has(name)) kept = withoutLines(kept, name);
  return { kept, special, connection };
}

export const TOO_MANY = "too many header lines";

/** The parts of a list: `close, X-Mine` are two. In lower case. */
export function listOf(value: string): string[] {
  return value
    .toLowerCase()
    .split(",")
    .map((part) => part.trim())
    .filter((part) => part !== "");
}

/** Name and value of each line, for those who don't speak in lines. */
export function fieldsOf(lines: string): (readonly [lower: string, value: string])[] {
  return lines.split("\r\n", LIMITS.proxyFields).flatMap((line) => {
    const colon = line.indexOf(":");
    return colon < 0 ? [] : [[line.slice(0, colon).toLowerCase(), trimmed(line.slice(colon + 1))] as const];
  });
}

/** A number of bytes as `Content-Length` says it; undefined for anything else, a sign or a second number included. */
export function readLength(text: string): number | undefined {
  return /^\d{1,15}$/.test(text) ? Number(text) : undefined;
}

// --- internal ---

/** A name, a colon, and no control character but tabs: not even in a line's end, which is CR LF and nothing else. */
const LINE = /[!#$%&'*+\-.^_`|~0-9A-Za-z]+:[\t\x20-\x7e\x80-\xff]*\r\n/y;

/**
 * Lines of one connection, and those that only the proxy may write: a service must be able to believe what they say. Many programs
 * read X_Forwarded_For as X-Forwarded-For.
 */
const SPECIAL =
  /^(host|connection|content[-_]length|transfer[-_]encoding|keep[-_]alive|proxy[-_]connection|te|trailer|upgrade|x[-_]forwarded[-_][^:\r]*|forwarded|x[-_]real[-_]ip|http2[-_]settings|proxy|proxy[-_]authorization):([^\r]*)\r\n/gim;

const NONE: ReadonlySet<string> = new Set();

/** What `Connection` lists in most heads, and names no line that could still be there. */
const WELL_KNOWN: ReadonlySet<string> = new Set(["close", "keep-alive", "upgrade", "te", "content-length"]);

function withoutLines(lines: string, lower: string): string {
  return lines
    .split(/(?<=\r\n)/)
    .filter((line) => line.slice(0, line.indexOf(":")).toLowerCase() !== lower)
    .join("");
}

function trimmed(text: string): string {
  return text.replace(/^[\t ]+|[\t ]+$/g, "");
}
