/**
 * What the engine tells while it builds: pure. A step for the person who waits, and the last lines for the error: a failed build is one
 * of these events, the stream itself ends well. Called by build.ts.
 */
import { LIMITS } from "../../../base/limits.ts";
import { printable } from "../../../base/text.ts";

export interface BuildEvent {
  readonly stream?: string;
  readonly error?: string;
  readonly aux?: { readonly ID?: string };
}

export interface BuildProgress {
  /** A line to show, where there is something new to say. */
  take(event: BuildEvent): { readonly text: string; readonly percent: number | undefined } | undefined;
  /** The image, once it is there. */
  readonly image: string | undefined;
  readonly error: string | undefined;
  /** What was said last, the error among it. */
  readonly lastLines: readonly string[];
}

export function makeBuildProgress(): BuildProgress {
  const lastLines: string[] = [];
  let image: string | undefined;
  let error: string | undefined;

  function keep(text: string): void {
    for (const line of text.split(/[\r\n]+/)) {
      const shown = printable(line, LIMITS.errorTextChars).trim();
      if (shown === "") continue;
      lastLines.push(shown);
      if (lastLines.length > LIMITS.deployLogLines) lastLines.shift();
    }
  }

  return {
    get image() {
      return image;
    },
    get error() {
      return error;
    },
    lastLines,
    take(event) {
      image = event.aux?.ID ?? image;
      if (event.error !== undefined) {
        error ??= printable(event.error, LIMITS.errorTextChars);
        keep(event.error);
      }
      if (event.stream === undefined) return undefined;
      const text = event.stream.replaceAll(COLOURS, "");
      keep(text);
      return stepOf(text) ?? lineOf(text);
    },
  };
}

// --- internal ---

/** `Step 2/7 : RUN npm ci` */
function stepOf(text: string): ReturnType<BuildProgress["take"]> {
  const [, number, count, what = ""] = /^Step (\d+)\/(\d+) : (.*)/s.exec(text) ?? [];
  if (number === undefined || count === undefined) return undefined;
  return {
    text: `${number} of ${count}: ${printable(what.trim(), SHOWN_CHARS)}`,
    percent: Math.floor((100 * (Number(number) - 1)) / Number(count)),
  };
}

function lineOf(text: string): ReturnType<BuildProgress["take"]> {
  const shown = printable(text.trim(), SHOWN_CHARS);
  return shown === "" ? undefined : { text: shown, percent: undefined };
}

const SHOWN_CHARS = 200;

/** The engine marks what a step wrote to standard error. */
// oxlint-disable-next-line no-control-regex
const COLOURS = /\u001B\[[\d;]*m/g;
