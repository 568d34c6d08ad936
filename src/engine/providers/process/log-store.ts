/**
 * The captured output of one instance: both streams, bounded, with the times of their parts. All calls are short and
 * synchronous, so readers never see half a cut. Called by run.ts (writes) and read-logs.ts (reads).
 */
import { closeSync } from "node:fs";
import type { Clock } from "../../../base/clock.ts";
import { LIMITS } from "../../../base/limits.ts";
import { makeLogFile, type LogFile } from "./log-file.ts";
import { makeLogMarks, type LogMark } from "./log-marks.ts";

export interface LogStore {
  readonly stdout: LogFile;
  readonly stderr: LogFile;
  marks(): readonly LogMark[];
  /** Gives `use` descriptors for a child, which keeps its own copies. */
  withOutput<T>(use: (output: { readonly stdout: number; readonly stderr: number }) => T): T;
  /** Looks: notes how far the streams are, and cuts what is too long. */
  tend(): void;
}

/** `maxBytes` for all of it: two streams, each with a current and an old file. */
export function makeLogStore(
  dir: string,
  clock: Clock,
  maxBytes: number = LIMITS.instanceLogBytes,
): LogStore {
  const stdout = makeLogFile(dir, "stdout");
  const stderr = makeLogFile(dir, "stderr");
  const marks = makeLogMarks(dir);
  return {
    stdout,
    stderr,
    marks: () => marks.all(),
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
      marks.add({ ms: clock.now(), stdout: stdout.end(), stderr: stderr.end() });
      for (const file of [stdout, stderr]) file.cut(maxBytes / 4);
    },
  };
}
