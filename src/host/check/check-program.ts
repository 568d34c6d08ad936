/**
 * All checks that run a plugin's executable. It has the full access of whoever runs the check, so this is asked for only with his consent.
 * Whatever the program does, it ends, its instances are destroyed as far as it lets that happen, and none of its processes stays.
 * Called by check-plugin.ts.
 */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Clock } from "../../base/clock.ts";
import { CHECK_LIMITS } from "../../base/check-limits.ts";
import type { Manifest } from "../manifest/manifest.ts";
import type { PackageFiles } from "../package/package-files.ts";
import type { CheckId } from "./checks.ts";
import { CHECK_IDS, groupOf } from "./checks.ts";
import type { Findings } from "./findings.ts";
import { checkProgramCalls } from "./program-calls.ts";
import { checkProgramHooks, knownHookCall } from "./program-hooks.ts";
import { openProgram, type Program, type Trace } from "./program.ts";
import { makeBench } from "./provider-bench.ts";
import { checkLife } from "./provider-life.ts";
import { checkOptions, VOLUME_FILE, VOLUME_TEXT } from "./provider-options.ts";
import { checkOrder } from "./provider-order.ts";
import type { SampleEvent } from "./sample-event.ts";

export interface ProgramCheck {
  readonly manifest: Manifest;
  readonly files: PackageFiles;
  readonly findings: Findings;
  readonly sample: SampleEvent;
  readonly environment: Readonly<Record<string, string>>;
  readonly clock: Clock;
  readonly image: string;
  readonly mark: string;
  /** No call gets more time than this, whatever the manifest says. */
  readonly mostMs: number;
  /** A port of this machine that nobody has. */
  readonly freePort: () => number;
  readonly signal: AbortSignal | undefined;
}

export async function checkProgram(check: ProgramCheck): Promise<void> {
  const { manifest, files, environment, clock, signal, findings } = check;
  const entrypoint = manifest.main ?? "";
  const program = await openProgram({ name: manifest.name, entrypoint, files, environment, clock, signal });
  try {
    await (manifest.provider === undefined ? checkHook(check, program) : checkProvider(check, program));
    await tellTraces(findings, program);
  } finally {
    await program.close();
  }
}

// --- internal ---

async function checkHook(check: ProgramCheck, program: Program): Promise<void> {
  const { manifest, findings, sample, clock } = check;
  const deadlineMs = Math.min(manifest.timeoutMs, check.mostMs);
  if (wantsGroup(findings, "hook"))
    await checkProgramHooks({ program, manifest, findings, sample, deadlineMs });
  const known = knownHookCall(manifest, sample);
  if (known === undefined || !wantsGroup(findings, "call")) return;
  const options = { ...known.options, deadlineMs };
  await checkProgramCalls({
    program,
    findings,
    known: { ...known, options },
    clock,
    isProvider: false,
  });
}

async function checkProvider(check: ProgramCheck, program: Program): Promise<void> {
  const { manifest, findings, clock, image, mark, mostMs } = check;
  const offer = manifest.provider;
  if (offer === undefined) return;
  const bench = makeBench({ program, findings, offer, image, mark, mostMs });
  const folder = await mkdtemp(join(tmpdir(), "voxeltron-check-volume-"));
  await writeFile(join(folder, VOLUME_FILE), VOLUME_TEXT);
  try {
    if (wantsGroup(findings, "call"))
      await checkProgramCalls({
        program,
        findings,
        known: {
          action: "status",
          params: { name: bench.newName() },
          options: { deadlineMs: Math.min(offer.timeoutMs.status, mostMs) },
        },
        clock,
        isProvider: true,
      });
    const [life, order, options] = ["life", "order", "options"].map((group) => wantsGroup(findings, group));
    if (life !== true && order !== true && options !== true) return;
    const unknown = await bench.status(bench.newName());
    // How much is to be believed of status shows only here.
    await checkLife(bench, unknown);
    if (order === true) await checkOrder(bench, unknown);
    if (options === true) await checkOptions(bench, { port: check.freePort(), folder });
  } finally {
    const left = await bench.clearUp();
    if (left.length > 0) findings.failed("traces.instances", `left: ${left.join(", ")}`);
    else findings.passed("traces.instances");
    await rm(folder, { recursive: true, force: true }).catch(() => {});
  }
}

async function tellTraces(findings: Findings, program: Program): Promise<void> {
  tell(findings, "traces.group", program.traces.group);
  const outside = await program.outside();
  tell(
    findings,
    "traces.processes",
    outside.map(({ command }) => ({ what: command, after: "the last call" })),
  );
  tell(findings, "traces.files", program.traces.files);
}

function tell(findings: Findings, check: CheckId, traces: readonly Trace[]): void {
  if (traces.length === 0) return findings.passed(check);
  const shown = traces
    .slice(0, CHECK_LIMITS.tracesShown)
    .map(({ what, after }) => `${what} (after ${after})`);
  const more = traces.length - shown.length;
  findings.failed(check, [...shown, ...(more > 0 ? [`and ${more} more`] : [])].join(" · "));
}

/** What it leaves behind shows only where it was asked for something. */
function wantsGroup(findings: Findings, group: string): boolean {
  return findings.wants(...CHECK_IDS.filter((check) => [group, "traces"].includes(groupOf(check))));
}
