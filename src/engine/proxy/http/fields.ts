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
  /** By lower-case name, with dashes for underscores: the value of the only line with that name; false where there are more. */
  readonly special: ReadonlyMap<string, string | false>;
  /** All that `Connection` lists, in lower case. */
  readonly connection: ReadonlySet<string>;
}

/** The lines from `from` on; `head` ends with the end of its last line. A text says what is wrong. */
export function readLines(head: string, from: number): Lines | string {
  if (BAD_BYTES.test(head)) return "a control character, or a line end that is not CR LF";
  const special = new Map<string, string | false>();
  let kept = "";
  let keptFrom = from;
  let count = 0;
  for (let at = from; at < head.length;) {
    const end = head.indexOf("\r\n", at) + 2;
    const colon = head.indexOf(":", at);
    if (colon < 0 || colon >= end) return "a header line without a colon";
    const key = keyOf(head.slice(at, colon));
    if (key === undefined) return "a header name that is none";
    if (++count > LIMITS.proxyFields) return TOO_MANY;
    if (key !== "") {
      const value = trimmed(head.slice(colon + 1, end - 2));
      const before = special.get(key);
      special.set(key, before === undefined ? value : key === "connection" && `${before},${value}`);
      kept += head.slice(keptFrom, at);
      keptFrom = end;
    }
    at = end;
  }
  kept += head.slice(keptFrom);
  const connection = connectionOf(special.get("connection"));
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

/** Some programs take these for line ends, others do not. */
// oxlint-disable-next-line no-control-regex -- they are what is looked for
const BAD_BYTES = /[\0-\x08\x0b\x0c\x0e-\x1f\x7f]|\r[^\n]|[^\r]\n/;
const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;

/**
 * Lines of one connection, and those that only the proxy may write: a service must be able to believe what they say. Many programs
 * read X_Forwarded_For as X-Forwarded-For.
 */
const SPECIAL =
  /^(?:host|connection|content-length|transfer-encoding|keep-alive|proxy-connection|te|trailer|upgrade|x-forwarded-.*|forwarded|x-real-ip|http2-settings|proxy|proxy-authorization)$/;

/** Names that were seen, so that the usual ones are looked at once. */
const known = new Map<string, string>();
const KNOWN_MOST = 1_000;
const KNOWN_CHARS = 40;

/** What a special line is called; empty for any other one, undefined for what is no name. */
function keyOf(name: string): string | undefined {
  const found = known.get(name);
  if (found !== undefined) return found;
  if (!TOKEN.test(name)) return undefined;
  const lower = name.toLowerCase().replaceAll("_", "-");
  const key = SPECIAL.test(lower) ? lower : "";
  if (known.size < KNOWN_MOST && name.length <= KNOWN_CHARS) known.set(name, key);
  return key;
}

const KEEP_ALIVE: ReadonlySet<string> = new Set(["keep-alive"]);

function connectionOf(value: string | false | undefined): ReadonlySet<string> {
  if (value === undefined || value === false) return NONE;
  return value === "keep-alive" ? KEEP_ALIVE : new Set(listOf(value));
}

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
  let start = 0;
  let end = text.length;
  while (start < end && isBlank(text.charCodeAt(start))) start++;
  while (end > start && isBlank(text.charCodeAt(end - 1))) end--;
  return text.slice(start, end);
}

function isBlank(code: number): boolean {
  return code === 0x20 || code === 0x09;
}
