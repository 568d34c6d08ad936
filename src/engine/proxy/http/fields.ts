/**
 * The lines of an HTTP/1.1 head, read as strictly as the standard allows: what two programs could read differently is refused, as
 * that is how requests are smuggled. Pure. Called by request-head.ts and response-head.ts.
 */

export interface Field {
  /** As it came. */
  readonly name: string;
  readonly lower: string;
  /** Without blanks at its ends. */
  readonly value: string;
}

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

/** The lines from `from` on; `head` ends with the end of its last line. A text says what is wrong. */
export function readFields(head: string, from: number, most: number): readonly Field[] | string {
  const fields: Field[] = [];
  for (let at = from; at < head.length;) {
    const end = head.indexOf("\r\n", at);
    const colon = head.indexOf(":", at);
    if (colon < 0 || colon > end) return "a header line without a colon";
    const name = head.slice(at, colon);
    if (!TOKEN.test(name)) return "a header name that is none";
    if (fields.length >= most) return TOO_MANY;
    fields.push({ name, lower: name.toLowerCase(), value: trimmed(head, colon + 1, end) });
    at = end + 2;
  }
  return fields;
}

export const TOO_MANY = "too many header lines";

/** A control character, or a line end that is not CR LF: some programs take these for line ends, others do not. */
export function hasBadBytes(head: string): boolean {
  return BAD_BYTES.test(head);
}

export function isToken(text: string): boolean {
  return TOKEN.test(text);
}

/** The value of a field that there must be at most one of; `false` where there are more. */
export function single(fields: readonly Field[], lower: string): string | undefined | false {
  let found: string | undefined;
  for (const field of fields) {
    if (field.lower !== lower) continue;
    if (found !== undefined) return false;
    found = field.value;
  }
  return found;
}

/** The names in all fields called so, in lower case: `close, X-Mine` are two. */
export function listOf(fields: readonly Field[], lower: string): ReadonlySet<string> {
  const names = new Set<string>();
  for (const field of fields)
    if (field.lower === lower)
      for (const part of field.value.split(",")) {
        const name = part.trim().toLowerCase();
        if (name !== "") names.add(name);
      }
  return names;
}

/** A number of bytes as `Content-Length` says it; undefined for anything else, a sign or a second number included. */
export function readLength(text: string): number | undefined {
  return /^\d{1,15}$/.test(text) ? Number(text) : undefined;
}

// --- internal ---

const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
// oxlint-disable-next-line no-control-regex -- they are what is looked for
const BAD_BYTES = /[\0-\x08\x0b\x0c\x0e-\x1f\x7f]|\r(?!\n)|(?<!\r)\n/;
const BLANK = 0x20;
const TAB = 0x09;

function trimmed(text: string, from: number, to: number): string {
  let start = from;
  let end = to;
  while (start < end && isBlank(text.charCodeAt(start))) start++;
  while (end > start && isBlank(text.charCodeAt(end - 1))) end--;
  return text.slice(start, end);
}

function isBlank(code: number): boolean {
  return code === BLANK || code === TAB;
}
