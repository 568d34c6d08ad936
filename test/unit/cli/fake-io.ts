/** A terminal that only remembers. */
import type { Io } from "../../../src/cli/io.ts";

export interface FakeIo extends Io {
  readonly shown: { stdout: string; stderr: string };
  readonly questions: string[];
}

export interface FakeIoOptions {
  readonly terminal?: boolean;
  /** One for each question; undefined is the end of input. */
  readonly answers?: readonly (string | undefined)[];
  readonly environment?: Readonly<Record<string, string>>;
}

export function fakeIo(options: FakeIoOptions = {}): FakeIo {
  const shown = { stdout: "", stderr: "" };
  const questions: string[] = [];
  const answers = [...(options.answers ?? [])];
  const isTerminal = options.terminal === true;
  const sink = (name: keyof typeof shown) => ({
    isTerminal,
    columns: 80,
    write: (data: string | Uint8Array) => {
      shown[name] += typeof data === "string" ? data : new TextDecoder().decode(data);
      return Promise.resolve();
    },
  });
  const ask = (question: string) => {
    questions.push(question);
    return Promise.resolve(answers.shift());
  };
  return {
    shown,
    questions,
    program: "voxeltron",
    stdout: sink("stdout"),
    stderr: sink("stderr"),
    stdin: { isTerminal, readAll: () => Promise.resolve(new Uint8Array()) },
    environment: options.environment ?? {},
    uid: 1000,
    ask,
    askHidden: ask,
    onInterrupt: () => () => {},
  };
}
