/**
 * A line of somebody's log, fit for a terminal: colours stay, what could move the cursor, rename the window or write to the
 * clipboard does not. A service's log has in it what strangers sent to the service. Pure. Called by `logs`.
 */
export function terminalLine(text: string): string {
  if (!UNSAFE.test(text)) return text;
  let line = "";
  let isColoured = false;
  let at = 0;
  for (const match of text.matchAll(COLOUR)) {
    line += clean(text.slice(at, match.index)) + match[0];
    isColoured = true;
    at = match.index + match[0].length;
  }
  line += clean(text.slice(at));
  return isColoured ? `${line}${RESET}` : line;
}

// --- internal ---

const UNSAFE = /[\p{Cc}\p{Cf}]/u;
// eslint-disable-next-line no-control-regex -- control characters are what this file is about
const COLOUR = /\u001B\[[\d;]{0,40}m/g;
const RESET = "\u001B[0m";

/** Other sequences lose their beginning, and so their power; the rest of them stays to be read. */
function clean(text: string): string {
  return text.replaceAll(/[\p{Cc}\p{Cf}]/gu, (character) => (character === "\t" ? character : ""));
}
