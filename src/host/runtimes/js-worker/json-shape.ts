/**
 * How much work a JSON text is for who parses it. The Worker looks at each message of a guest before the daemon does, because
 * eight megabytes of brackets would keep the daemon's only thread busy for longer than it may be.
 */

export interface JsonShape {
  /** Values, about: brackets, braces and commas outside strings. */
  readonly values: number;
  readonly depth: number;
}

export function measureJson(text: string): JsonShape {
  let values = 0;
  let depth = 0;
  let deepest = 0;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code === QUOTE) i = endOfString(text, i);
    else if (code === COMMA) values++;
    else if (code === OPEN_BRACKET || code === OPEN_BRACE) {
      values++;
      depth++;
      if (depth > deepest) deepest = depth;
    } else if (code === CLOSE_BRACKET || code === CLOSE_BRACE) depth--;
  }
  return { values, depth: deepest };
}

// --- internal ---

const QUOTE = 0x22;
const COMMA = 0x2c;
const BACKSLASH = 0x5c;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;

/** The position of the quote that closes the string which opens at `start`. */
function endOfString(text: string, start: number): number {
  let end = start;
  for (;;) {
    end = text.indexOf('"', end + 1);
    if (end === -1) return text.length;
    let slashes = 0;
    while (text.charCodeAt(end - 1 - slashes) === BACKSLASH) slashes++;
    if (slashes % 2 === 0) return end;
  }
}
