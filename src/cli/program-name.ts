/**
 * Who typed `devbox` is told of `devbox`: the same program under the name that its plugin API has. Changes advice, not data. Called by
 * main.ts and `plugin list`.
 */
import type { Io, Program } from "./io.ts";

/** Command lines in the text begin with the name that was typed. */
export function inWordsOf(program: Program, text: string): string {
  return program === "voxeltron" ? text : text.replaceAll(COMMAND_LINE, program);
}

/** The same for all that is no result: questions, notes, errors. */
export function speakingAs(io: Io): Io {
  if (io.program === "voxeltron") return io;
  const { stderr } = io;
  return {
    ...io,
    stderr: {
      isTerminal: stderr.isTerminal,
      get columns() {
        return stderr.columns;
      },
      write: (data) => stderr.write(typeof data === "string" ? inWordsOf(io.program, data) : data),
    },
  };
}

// --- internal ---

/** Not the product's own name in a sentence: "voxeltron runs plugins". */
const COMMAND_LINE =
  /\bvoxeltron(?= (?:<|--|(?:config|daemon|deploy|doctor|env|events|exec|logs|metrics|notify|plugin|registry|remove|rollback|secret|start|status|stop|workspace)\b))/g;
