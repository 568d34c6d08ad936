/**
 * When was what written? The processes write bare bytes, so at every look the time and the ends of both streams are noted.
 * That gives each line a stamp as exact as the looks are frequent, and the streams an order. Called by log-store.ts.
 */
import { appendFileSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** All bytes up to these positions were written by then. */
export interface LogMark {
  readonly ms: number;
  readonly stdout: number;
  readonly stderr: number;
}

export interface LogMarks {
  all(): readonly LogMark[];
  /** Notes the ends if they moved. */
  add(mark: LogMark): void;
}

export function makeLogMarks(dir: string): LogMarks {
  const path = join(dir, "marks");
  let marks = readMarks(path);
  return {
    all: () => marks,
    add(mark) {
      const last = marks.at(-1);
      if (mark.stdout === (last?.stdout ?? 0) && mark.stderr === (last?.stderr ?? 0)) return;
      marks.push(mark);
      if (marks.length <= MAX_MARKS) {
        appendFileSync(path, lineOf(mark), { mode: 0o600 });
        return;
      }
      // Coarser for what is old: each second mark of the older half goes.
      const half = MAX_MARKS / 2;
      marks = marks.filter((_, index) => index > half || index % 2 === 1);
      writeFileSync(`${path}.new`, marks.map(lineOf).join(""), { mode: 0o600 });
      renameSync(`${path}.new`, path);
    },
  };
}

// --- internal ---

const MAX_MARKS = 20_000;

function lineOf({ ms, stdout, stderr }: LogMark): string {
  return `${ms} ${stdout} ${stderr}\n`;
}

/** A line that was cut by a crash is skipped. */
function readMarks(path: string): LogMark[] {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch {
    return [];
  }
  return [...text.matchAll(/^(\d+) (\d+) (\d+)\n/gm)].map(([, ms, stdout, stderr]) => ({
    ms: Number(ms),
    stdout: Number(stdout),
    stderr: Number(stderr),
  }));
}
