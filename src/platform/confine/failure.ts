/**
 * How a child says that it could not be confined, or that it is: one line of JSON on stderr, which is the daemon's until the
 * child is sealed and nobody's from then on. The line is ours: no byte of a plugin is in the process before.
 */
import { writeSync } from "node:fs";
import { errorName, openKernel } from "./kernel.ts";

const STATUS_UNCONFINED = 71;

/** The last line of a child that is sealed. */
export const SEALED_LINE = "sealed";

export interface Unconfined {
  readonly step: string;
  readonly reason: string;
}

/** Something that confinement needs was refused. Thrown in the child only, and caught by `orEnd`. */
export class ConfinementError extends Error {
  override readonly name = "ConfinementError";
  readonly step: string;

  constructor(step: string, reason: string) {
    super(reason);
    this.step = step;
  }
}

/** `result` of the kernel, where it is not an error. */
export function need(step: string, what: string, result: number): number {
  if (result < 0) throw new ConfinementError(step, `${what}: ${errorName(result)}`);
  return result;
}

/** Does the work, or says why not and ends the process: what is not confined must not go on. */
export function orEnd<T>(work: () => T): T {
  try {
    return work();
  } catch (error) {
    const step = error instanceof ConfinementError ? error.step : "confinement";
    const reason = error instanceof Error ? error.message : String(error);
    tell(JSON.stringify({ step, reason } satisfies Unconfined));
    return openKernel().exit(STATUS_UNCONFINED);
  }
}

export function tell(line: string): void {
  writeSync(STDERR, `${line}\n`);
}

/** What a child's stderr says about its end; undefined where it was sealed. */
export function readFailure(stderr: string): Unconfined | undefined {
  const lines = stderr
    .split("\n")
    .map((line) => line.trim())
    .filter(Boolean);
  const last = lines.at(-1) ?? "";
  if (last === SEALED_LINE) return undefined;
  return parseFailure(last) ?? { step: "start", reason: lines.slice(-LINES_SHOWN).join(" · ") };
}

// --- internal ---

const STDERR = 2;
const LINES_SHOWN = 8;

function parseFailure(line: string): Unconfined | undefined {
  try {
    const { step, reason } = JSON.parse(line) as Unconfined;
    return typeof step === "string" && typeof reason === "string" ? { step, reason } : undefined;
  } catch {
    return undefined;
  }
}
