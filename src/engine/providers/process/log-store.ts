/**
 * The captured output of one instance until somebody has taken it: both streams, bounded. Called by run.ts and instance.ts
 * (writes) and read-logs.ts (reads).
 */
import { closeSync } from "node:fs";
import { LIMITS } from "../../../base/limits.ts";
import { makeLogFile, type LogFile } from "./log-file.ts";

export interface LogStore {
  readonly stdout: LogFile;
  readonly stderr: LogFile;
  /** Gives `use` descriptors for a child, which keeps its own copies. */
  withOutput<T>(use: (output: { readonly stdout: number; readonly stderr: number }) => T): T;
  /** Lets go of the oldest bytes where there are too many: nobody took them in time. True: there are still too many. */
  tend(): boolean;
}

/** `maxBytes` for both streams together. */
export function makeLogStore(dir: string, maxBytes: number = LIMITS.instanceLogBytes): LogStore {
  const stdout = makeLogFile(dir, "stdout");
  const stderr = makeLogFile(dir, "stderr");
  return {
    stdout,
    stderr,
    withOutput(use) {
      const output = { stdout: stdout.openToAppend(), stderr: stderr.openToAppend() };
      try {
        return use(output);
      } finally {
        closeSync(output.stdout);
        closeSync(output.stderr);
      }
    },
    tend() {
      const isMore = [stdout, stderr].map(
        (file) => file.end() - file.start() > maxBytes / 2 && file.release(file.end() - maxBytes / 2),
      );
      return isMore.includes(true);
    },
  };
}
