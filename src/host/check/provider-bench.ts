/**
 * A provider on the bench: its actions as the daemon asks for them, names that can't be anybody else's, and what it says of them.
 * Called by check-program.ts; the checks of providers ask through it.
 */
import { isObject } from "../../base/is-object.ts";
import { CHECK_LIMITS } from "../../base/check-limits.ts";
import type { ProviderAction } from "../../base/provider-actions.ts";
import type { ProviderOffer } from "../manifest/manifest.ts";
import type { CheckId } from "./checks.ts";
import type { Findings, More } from "./findings.ts";
import type { Called, CallOptions, Program } from "./program.ts";
import { judge, resultText } from "./verdicts.ts";

export const STATUS_WORDS = [
  "created",
  "running",
  "paused",
  "stopped",
  "restarting",
  "exited",
  "dead",
  "missing",
] as const;

export type StatusWord = (typeof STATUS_WORDS)[number];

export interface Bench {
  readonly findings: Findings;
  readonly offer: ProviderOffer;
  readonly image: string;
  /** A name that nothing has. Whatever is made with it is destroyed in the end. */
  newName(): string;
  ask(
    action: ProviderAction,
    params: Readonly<Record<string, unknown>>,
    more?: Partial<CallOptions>,
  ): Promise<Called>;
  status(name: string): Promise<StatusAnswer>;
  /** A reason to be lenient: it says the same of everything, also of what never was. */
  alwaysSays: StatusWord | undefined;
  /** Destroys what may be there still; gives the names that are. */
  clearUp(): Promise<readonly string[]>;
}

export interface StatusAnswer {
  readonly called: Called;
  /** Undefined where there was no answer, or none of the eight words in it. */
  readonly word: StatusWord | undefined;
}

export interface BenchOptions {
  readonly program: Program;
  readonly findings: Findings;
  readonly offer: ProviderOffer;
  readonly image: string;
  /** Random, a few letters. */
  readonly mark: string;
  readonly mostMs: number;
}

export function makeBench({ program, findings, offer, image, mark, mostMs }: BenchOptions): Bench {
  const open = new Set<string>();
  let names = 0;
  const deadlineOf = (action: ProviderAction): number => Math.min(offer.timeoutMs[action], mostMs);

  const bench: Bench = {
    findings,
    offer,
    image,
    alwaysSays: undefined,
    newName: () => `voxeltron-check-${mark}-${++names}`,
    async ask(action, params, more = {}) {
      const called = await program.call(action, params, { deadlineMs: deadlineOf(action), ...more });
      const name = params["name"];
      if (action === "create" && typeof name === "string" && called.kind !== "skipped") open.add(name);
      return called;
    },
    async status(name) {
      const called = await bench.ask("status", { name });
      return { called, word: called.kind === "ok" ? wordOf(called.result) : undefined };
    },
    async clearUp() {
      const left: string[] = [];
      const soon = { deadlineMs: Math.min(deadlineOf("destroy"), CHECK_LIMITS.clearMs), insists: true };
      const wordNow = async (name: string): Promise<StatusWord | undefined> => {
        const called = await bench.ask("status", { name }, soon);
        return called.kind === "ok" ? wordOf(called.result) : undefined;
      };
      let isStuck = false;
      for (const name of open) {
        // Who does not answer is not asked once more for each of them.
        if (isStuck || (await wordNow(name)) === "missing") {
          if (isStuck) left.push(name);
          continue;
        }
        const gone = await stopAndDestroy(bench, name, soon);
        isStuck = gone.kind === "broken" && gone.error.code === "plugin.timeout";
        const word = isStuck ? undefined : await wordNow(name);
        if (word !== "missing" && (word === undefined || word !== bench.alwaysSays)) left.push(name);
      }
      return left;
    },
  };
  return bench;
}

/** Some can only destroy what does not run. */
export async function stopAndDestroy(
  bench: Bench,
  name: string,
  more: Partial<CallOptions> = {},
): Promise<Called> {
  const first = await bench.ask("destroy", { name }, more);
  if (first.kind !== "refused") return first;
  await bench.ask("stop", { name, ...STOP }, more);
  return bench.ask("destroy", { name }, more);
}

/** Params of the simplest instance that stays until it is stopped. */
export function plainSpec(bench: Bench, name: string): Record<string, unknown> {
  return { name, image: bench.image, command: LONG_COMMAND };
}

export const LONG_COMMAND = "sleep 600";

/** Nobody has anything to lose there. */
export const STOP = { grace_ms: 1_000 } as const;

/** `wanted`: the words that are right here. */
export function judgeStatus(
  bench: Bench,
  check: CheckId,
  { called, word }: StatusAnswer,
  wanted: readonly StatusWord[],
  more: More = {},
): void {
  const { findings, alwaysSays } = bench;
  if (called.kind !== "ok") judge(findings, check, called, "failed", more);
  else if (word === undefined)
    findings.failed(check, resultText(called.result), {
      ...more,
      wanted: `one of the eight words: ${STATUS_WORDS.join(", ")}; here ${wanted.join(" or ")}`,
      advice: 'translate what your runtime says; {"state": WORD} with more beside it is taken too',
    });
  else if (wanted.includes(word)) findings.passed(check, { ...more, note: word });
  else if (word === alwaysSays)
    findings.warned(check, `${word}, as it says of everything`, {
      ...more,
      wanted: wanted.join(" or "),
      advice: "look at the instance: nobody can see that it has ended, or that it is gone",
    });
  else findings.failed(check, word, { ...more, wanted: wanted.join(" or ") });
}

// --- internal ---

function wordOf(result: unknown): StatusWord | undefined {
  const found = isObject(result) ? result["state"] : result;
  return STATUS_WORDS.find((word) => word === found);
}
