/**
 * How much work a JSON text is for who parses it. A Worker looks at each message of its guest before it is sent, and the
 * daemon before it is parsed: eight megabytes of brackets would keep the daemon's only thread busy for longer than it may be.
 */

export interface JsonShape {
  /**
   * Values, about: brackets, braces and commas outside strings. For a key that is a small number the engine lays out places for all
   * numbers below it, so they count too: an object of `"999"` alone has a thousand. So do escapes, where a string has quotes in it.
   */
  readonly values: number;
  readonly depth: number;
}

/** Beyond `most` nothing is counted any more. */
export function measureJson(text: string, most: JsonShape = ALL): JsonShape {
  let values = 0;
  let depth = 0;
  let deepest = 0;
  /** Weight of the largest index among the keys of each object that is open. */
  const weights: number[] = [0];
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code === QUOTE) {
      const [end, escapes] = endOfString(text, i);
      values += Math.floor(escapes / ESCAPES_A_VALUE);
      if (values > most.values) break;
      const more = weightOfKey(text, i + 1, end) - (weights[depth] ?? 0);
      if (more > 0) {
        weights[depth] = (weights[depth] ?? 0) + more;
        values += more;
        if (values > most.values) break;
      }
      i = end;
    } else if (code === COMMA) {
      if (++values > most.values) break;
    } else if (code === OPEN_BRACKET || code === OPEN_BRACE) {
      values++;
      depth++;
      weights[depth] = 0;
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

/** From here on an index is kept by itself, without a place for each that is smaller. */
const INDEX_SPARSE = 1000;
/** Places that weigh as much as one value. */
const PLACES_A_VALUE = 8;
/** Escapes that take as long to be read as one value. */
const ESCAPES_A_VALUE = 32;
const ESCAPED_DIGIT = "\\u003";
const ZERO = 0x30;
const NINE = 0x39;
const COLON = 0x3a;
const SPACE = 0x20;

/** What the places below the string between `start` and `end` weigh, where it is a key and an index. */
function weightOfKey(text: string, start: number, end: number): number {
  let index = 0;
  for (let at = start; at < end; at++) {
    if (text.startsWith(ESCAPED_DIGIT, at)) {
      index = INDEX_SPARSE - 1;
      break;
    }
    const code = text.charCodeAt(at);
    if (code < ZERO || code > NINE) return 0;
    index = index * 10 + code - ZERO;
    if (index >= INDEX_SPARSE) return 0;
  }
  return isKey(text, end) ? Math.floor(index / PLACES_A_VALUE) : 0;
}

function isKey(text: string, end: number): boolean {
  let at = end + 1;
  while (text.charCodeAt(at) <= SPACE) at++;
  return text.charCodeAt(at) === COLON;
}

/** The position of the quote that closes the string which opens at `start`, and the escapes in it. Few strings have a quote in them. */
function endOfString(text: string, start: number): readonly [end: number, escapes: number] {
  const end = text.indexOf('"', start + 1);
  if (end === -1) return [text.length, 0];
  if (text.charCodeAt(end - 1) !== BACKSLASH) return [end, 0];
  let escapes = 0;
  let at = start + 1;
  while (at < text.length) {
    const code = text.charCodeAt(at);
    if (code === QUOTE) return [at, escapes];
    if (code === BACKSLASH) {
      escapes++;
      at += 2;
    } else at++;
  }
  return [text.length, escapes];
}
