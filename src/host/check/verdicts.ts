/** What a call of a program means for a check. Called by the files beside it that ask programs. */
import type { CheckId } from "./checks.ts";
import type { Findings, More } from "./findings.ts";
import type { Called } from "./program.ts";

export type Refusal = "passed" | "warned" | "failed";

/** True where it answered ok. A refusal, which is an answer too, counts as `refusal` says. */
export function judge(
  findings: Findings,
  check: CheckId,
  called: Called,
  refusal: Refusal,
  more: More = {},
): boolean {
  if (called.kind === "skipped") findings.skipped(check, called.why, more);
  else if (called.kind === "broken") findings.failed(check, called.error, more);
  else if (called.kind === "ok") findings.passed(check, more);
  else if (refusal === "passed")
    findings.passed(check, { ...more, note: `refused: ${called.error.message}` });
  else findings[refusal](check, called.error, more);
  return called.kind === "ok";
}

/** Where an error is what is wanted: anything else, but a call that never ends, counts as `otherwise` says. */
export function judgeRefusal(
  findings: Findings,
  check: CheckId,
  called: Called,
  otherwise: "warned" | "failed",
  more: More = {},
): void {
  if (called.kind === "ok") findings[otherwise](check, `ok: true, ${resultText(called.result)}`, more);
  else if (called.kind === "broken" && called.error.code !== "plugin.timeout")
    findings[otherwise](check, called.error, more);
  else judge(findings, check, called, "passed", more);
}

export function resultText(result: unknown): string {
  return result === undefined ? "without a result" : `with ${JSON.stringify(result).slice(0, RESULT_CHARS)}`;
}

// --- internal ---

const RESULT_CHARS = 200;
