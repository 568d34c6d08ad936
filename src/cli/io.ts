/**
 * Everything a command may touch of the outside, so that a test can stand in for the terminal. `process-io.ts` makes the
 * real one; commands get it through their context and use nothing of `process` themselves.
 */
import type { Environment } from "../base/paths.ts";

export interface Io {
  /** What was typed: the program is called `devbox` too, as its plugin API has it. */
  readonly program: Program;
  /** Results. */
  readonly stdout: Sink;
  /** Everything else: questions, progress, errors. */
  readonly stderr: Sink;
  readonly stdin: Source;
  readonly environment: Environment;
  readonly uid: number;
  /** Shows the question and waits for a line; undefined at the end of input or Ctrl-C. */
  ask(question: string): Promise<string | undefined>;
  /** The same without echo. Only for a terminal. */
  askHidden(question: string): Promise<string | undefined>;
  /** Until the returned function is called, Ctrl-C calls `handler` instead of ending the process. */
  onInterrupt(handler: () => void): () => void;
}

export type Program = "voxeltron" | "devbox";

export interface Sink {
  readonly isTerminal: boolean;
  readonly columns: number;
  /** Resolves when the bytes are on their way, at the reader's pace. Rejects with `OutputClosed` when nobody reads any more. */
  write(data: string | Uint8Array): Promise<void>;
}

export interface Source {
  readonly isTerminal: boolean;
  /** All of it; throws `request.too_large` above `bytesMax`. */
  readAll(bytesMax: number): Promise<Uint8Array>;
}

/** The reader of our output has gone (`voxeltron … | head`): no failure, but a reason to stop. */
export class OutputClosed extends Error {
  override readonly name = "OutputClosed";
}

/** Questions can be asked: they are seen, and the answer comes from a person. */
export function isInteractive(io: Io): boolean {
  return io.stdin.isTerminal && io.stderr.isTerminal;
}
