/**
 * How much work a JSON text is for who parses it. A Worker looks at each message of its guest before it is sent, and the
 * daemon before it is parsed: eight megabytes of brackets would keep the daemon's only thread busy for longer than it may be.
 */

export interface JsonShape {
  /** Values, about: brackets, braces and commas outside strings. */
  readonly values: number;
  readonly depth: number;
}

/** Beyond `most` nothing is counted any more. */
export function measureJson(text: string, most: JsonShape = ALL): JsonShape {
  let values = 0;
  let depth = 0;
  let deepest = 0;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code === QUOTE) i = endOfString(text, i);
    else if (code === COMMA) {
      if (++values > most.values) break;
    } else if (code === OPEN_BRACKET || code === OPEN_BRACE) {
      values++;
      depth++;
      if (depth > deepest) deepest = depth;
      if (depth > most.depth || values > most.values) break;
    } else if (code === CLOSE_BRACKET || code === CLOSE_BRACE) depth--;
  }
  return { values, depth: deepest };
}

// --- internal ---

const ALL: JsonShape = { values: Number.POSITIVE_INFINITY, depth: Number.POSITIVE_INFINITY };

const QUOTE = 0x22;
const COMMA = 0x2c;
const BACKSLASH = 0x5c;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;

/** The position of the quote that closes the string which opens at `start`. Few strings have a quote in them. */
function endOfString(text: string, start: number): number {
  const end = text.indexOf('"', start + 1);
  if (end === -1) return text.length;
  if (text.charCodeAt(end - 1) !== BACKSLASH) return end;
  let at = start + 1;
  while (at < text.length) {
    const code = text.charCodeAt(at);
    if (code === QUOTE) return at;
    at += code === BACKSLASH ? 2 : 1;
  }
  return text.length;
}
