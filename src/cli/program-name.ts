/**
 * Who typed `devbox` is told of `devbox`: the same program under the name that its plugin API has. Changes advice, never data. Called by
 * main.ts.
 */
import type { Io, Program } from "./io.ts";

/** Puts the name that was typed before the command lines in a text; the product's own name in a sentence stays. */
export type Advice = (text: string) => string;

export function adviceOf(program: Program, commands: readonly { readonly words: string }[]): Advice {
  if (program === "voxeltron") return (text) => text;
  const nouns = [...new Set(commands.map(({ words }) => words.split(" ")[0] ?? ""))];
  const commandLine = new RegExp(`\\bvoxeltron(?= (?:<|--|(?:${nouns.join("|")})\\b))`, "g");
  return (text) => text.replaceAll(commandLine, program);
}

/** The same for all that is no result: questions, notes, errors. */
export function speakingAs(io: Io, advice: Advice): Io {
  const { stderr } = io;
  return {
    ...io,
    stderr: {
      isTerminal: stderr.isTerminal,
      get columns() {
        return stderr.columns;
      },
      write: (data) => stderr.write(typeof data === "string" ? advice(data) : data),
    },
  };
}
