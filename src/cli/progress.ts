/**
 * What a deploy is doing, on stderr: one line that is rewritten on a terminal, a line for each new step elsewhere, nothing
 * where the answer is JSON.
 */
import { printable } from "../base/text.ts";
import type { Io } from "./io.ts";

export interface Progress {
  show(item: {
    readonly step: string;
    readonly text: string;
    readonly percent?: number | undefined;
  }): Promise<void>;
  /** A line that stays. */
  note(text: string): Promise<void>;
  /** Leaves the terminal clean; to be called before anything else is printed. */
  clear(): Promise<void>;
}

export function makeProgress(io: Io, quiet: boolean): Progress {
  const { stderr } = io;
  let shown = "";
  async function clear(): Promise<void> {
    if (stderr.isTerminal && shown !== "") await stderr.write(ERASE_LINE);
    shown = "";
  }
  return {
    clear,
    async note(text) {
      if (quiet) return;
      await clear();
      await stderr.write(`${printable(text)}\n`);
    },
    async show({ step, text, percent }) {
      if (quiet) return;
      const line = `${printable(step)}: ${printable(text)}`;
      if (stderr.isTerminal) {
        const done = percent === undefined ? "" : ` ${Math.floor(percent)} %`;
        await stderr.write(ERASE_LINE + cut(`${line}${done}`, stderr.columns - 1));
      } else if (line !== shown) await stderr.write(`${line}\n`);
      shown = line;
    },
  };
}

// --- internal ---

const ERASE_LINE = "\r\u001B[2K";

function cut(text: string, columns: number): string {
  return Bun.sliceAnsi(text, 0, Math.max(10, columns));
}
