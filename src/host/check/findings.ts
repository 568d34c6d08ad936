/**
 * What a check has found so far: one result for each thing that was looked at, told as it comes. It judges nothing. Made by
 * check-plugin.ts, written by the files beside it.
 */
import { isVoxError } from "../../base/errors.ts";
import { LIMITS } from "../../base/limits.ts";
import { printable } from "../../base/text.ts";
import { CHECKS, groupOf, type CheckId } from "./checks.ts";

/** `skipped`: it could not be looked at; `why` says what stood in the way. */
export type Outcome = "passed" | "warning" | "failed" | "skipped";

export interface CheckResult {
  readonly check: CheckId;
  /** The hook or action that it was done with. */
  readonly subject?: string;
  readonly title: string;
  readonly outcome: Outcome;
  /** Where it is no failure: what there is to know. */
  readonly note?: string;
  readonly found?: string;
  readonly wanted?: string;
  readonly advice?: string;
  /** Of the error that it ended with, and of what was wrong with an answer. */
  readonly code?: string;
  readonly problem?: string;
  readonly file?: string;
  readonly line?: number;
  readonly column?: number;
}

export interface More extends Partial<
  Pick<CheckResult, "subject" | "code" | "file" | "line" | "column" | "note">
> {
  readonly advice?: string | undefined;
  readonly wanted?: string | undefined;
}

export interface Findings {
  readonly results: readonly CheckResult[];
  /** False where nobody wants to know. */
  wants(...checks: readonly CheckId[]): boolean;
  passed(check: CheckId, more?: More): void;
  /** `found`: an error, or words that complete "found: …". */
  failed(check: CheckId, found: unknown, more?: More): void;
  warned(check: CheckId, found: unknown, more?: More): void;
  skipped(check: CheckId, why: string, more?: More): void;
}

export interface FindingsOptions {
  /** Checks, or groups of them; empty: all. */
  readonly only: readonly string[];
  readonly onResult?: ((result: CheckResult) => void) | undefined;
}

export function makeFindings({ only, onResult }: FindingsOptions): Findings {
  const results: CheckResult[] = [];
  const isWanted = (check: CheckId): boolean =>
    only.length === 0 || only.includes(check) || only.includes(groupOf(check));

  function add(check: CheckId, outcome: Outcome, { advice, wanted, ...more }: More, found?: unknown): void {
    // What stops an install is told to everybody: without it nothing else is looked at.
    if (!isWanted(check) && !(outcome === "failed" && ALWAYS.has(groupOf(check)))) return;
    const row = CHECKS[check];
    const bad = outcome === "failed" || outcome === "warning";
    const result: CheckResult = {
      check,
      title: row.title,
      outcome,
      ...more,
      ...(bad
        ? {
            ...evidence(found),
            wanted: wanted ?? row.wanted,
            advice: advice ?? hintOf(found) ?? row.advice,
          }
        : {}),
    };
    results.push(result);
    onResult?.(result);
  }

  return {
    results,
    wants: (...checks) => checks.some(isWanted),
    passed: (check, more = {}) => add(check, "passed", more),
    failed: (check, found, more = {}) => add(check, "failed", more, found),
    warned: (check, found, more = {}) => add(check, "warning", more, found),
    skipped: (check, why, more = {}) => add(check, "skipped", { ...more, note: why }),
  };
}

// --- internal ---

const ALWAYS: ReadonlySet<string> = new Set(["manifest", "code"]);

function hintOf(found: unknown): string | undefined {
  if (!isVoxError(found)) return undefined;
  return found.code === "plugin.timeout" ? LATE : found.hint;
}

const LATE = "be done sooner, or ask for more time: timeout in the manifest, and --timeout here";

function evidence(found: unknown): Pick<CheckResult, "found" | "code" | "problem"> {
  if (!isVoxError(found))
    return { found: printable(typeof found === "string" ? found : "nothing", LIMITS.errorTextChars) };
  const { code, message, details } = found;
  const { problem } = details;
  return {
    found: printable(message, LIMITS.errorTextChars),
    code,
    ...(typeof problem === "string" ? { problem } : {}),
  };
}
