/**
 * How an executable reads requests and gives answers, whatever it is for: in pieces, large, cut off, for something that it does not know,
 * and to a reader who takes his time. Called by check-program.ts.
 */
import type { Clock } from "../../base/clock.ts";
import { runExecutable, type ExecutableRun } from "../../platform/executable.ts";
import { openSlowPipe } from "../../platform/slow-pipe.ts";
import type { Findings } from "./findings.ts";
import type { Called, CallOptions, Program } from "./program.ts";
import { judge, judgeRefusal } from "./verdicts.ts";

export interface KnownCall {
  readonly action: string;
  readonly params: Readonly<Record<string, unknown>>;
  readonly options: CallOptions;
}

export interface ProgramCalls {
  readonly program: Program;
  readonly findings: Findings;
  /** One that it is sure to know, and that can be repeated. */
  readonly known: KnownCall;
  readonly clock: Clock;
  /** A hook is never asked for anything but execute. */
  readonly isProvider: boolean;
}

export async function checkProgramCalls({
  program,
  findings,
  known,
  clock,
  isProvider,
}: ProgramCalls): Promise<void> {
  const { action, params, options } = known;
  const ask = (changes: Partial<KnownCall>, more: Partial<CallOptions> = {}): Promise<Called> =>
    program.call(changes.action ?? action, changes.params ?? params, { ...options, ...more });

  const first = await ask({});
  judge(findings, "call.answers", first, "passed");
  if (first.kind === "broken" || first.kind === "skipped") {
    for (const check of REST) findings.skipped(check, "it did not answer");
    return;
  }
  // What was refused before is refused again: that it answers is what counts.
  const same = first.kind === "refused" ? "passed" : "failed";
  judge(findings, "call.pieces", await ask({}, { sent: (bytes) => inPieces(bytes, clock) }), same);
  judge(findings, "call.large", await ask({}, { sent: withMuchSpace }), same);
  judge(findings, "call.unknown_fields", await ask({}, { sent: withMoreFields }), same);
  judgeRefusal(
    findings,
    "call.unknown_action",
    await ask({ action: UNKNOWN, params: {} }),
    isProvider ? "failed" : "warned",
  );
  judgeCutOff(findings, await ask({}, { sent: (bytes) => bytes.subarray(0, Math.floor(bytes.length / 2)) }));
  const slow = openSlowPipe(clock, SLOW_MS);
  if (slow === undefined)
    return findings.skipped("call.large_answer", "this system has no pipes that can be read late");
  const late = {
    run: (run, at) => runExecutable({ ...run, output: slow }, at),
  } satisfies Partial<CallOptions>;
  // Most providers say what it was that they did not know: so it comes back, and does not fit into the pipe.
  const echoed = { action: `${UNKNOWN}-${"x".repeat(LONG_ACTION_CHARS)}`, params: {} };
  judge(
    findings,
    "call.large_answer",
    await ask(isProvider ? echoed : {}, late),
    isProvider ? "passed" : same,
  );
}

// --- internal ---

const REST = [
  "call.pieces",
  "call.large",
  "call.unknown_fields",
  "call.unknown_action",
  "call.cut_off",
  "call.large_answer",
] as const;
const UNKNOWN = "voxeltron-check-unknown";
const LARGE_CHARS = 1 << 20;
const LONG_ACTION_CHARS = 20_000;
const SLOW_MS = 500;
const PIECES = 5;
const PIECE_MS = 40;

async function* inPieces(request: Uint8Array, clock: Clock): AsyncGenerator<Uint8Array> {
  const length = Math.ceil(request.length / PIECES);
  for (let at = 0; at < request.length; at += length) {
    if (at > 0) await clock.sleep(PIECE_MS);
    yield request.subarray(at, at + length);
  }
}

/** JSON has room for it anywhere between two words; so nothing is said that was not said before. */
function withMuchSpace(request: Uint8Array): ExecutableRun["input"] {
  const text = new TextDecoder().decode(request);
  const end = text.lastIndexOf("}");
  return new TextEncoder().encode(text.slice(0, end) + " ".repeat(LARGE_CHARS) + text.slice(end));
}

/** Behind those that it knows, as they would come: who reads requests without a parser counts on the order. */
function withMoreFields(request: Uint8Array): ExecutableRun["input"] {
  const known = JSON.parse(new TextDecoder().decode(request)) as Record<string, object>;
  const later = { later: { list: [1, null], text: "a field of a later version" } };
  const text = JSON.stringify({ ...known, params: { ...known["params"], ...later }, ...later });
  return new TextEncoder().encode(`${text}\n`);
}

/** It may end as it likes, so long as it ends and does not say that all is well. */
function judgeCutOff(findings: Findings, called: Called): void {
  const check = "call.cut_off";
  if (called.kind === "ok") judgeRefusal(findings, check, called, "warned");
  else if (called.kind === "broken" && isStuck(called)) findings.failed(check, called.error);
  else if (called.kind === "skipped") findings.skipped(check, called.why);
  else findings.passed(check);
}

function isStuck({ error: { code, details } }: Extract<Called, { kind: "broken" }>): boolean {
  return (
    code === "plugin.timeout" || details["problem"] === "output_held" || details["problem"] === "too_large"
  );
}
