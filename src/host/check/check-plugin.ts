/**
 * `plugin check`: all that can be found out about a plugin's folder without a daemon and without an install, from its manifest to what its
 * code does when it is called. Code in a walled room runs with stand-ins behind its door; an executable only with consent. Called by
 * api/offline.ts.
 */
import type { Clock } from "../../base/clock.ts";
import type { BundlePlugin } from "../bundle/bundle-plugin.ts";
import { checkFiles, type Checked, type Problem } from "../install/check-files.ts";
import type { Manifest } from "../manifest/manifest.ts";
import type { PackageFiles } from "../package/package-files.ts";
import type { CandidateView } from "../plugin-views.ts";
import type { OpenRoom, WalledRoomKind } from "../runtimes/runtime.ts";
import { checkProgram } from "./check-program.ts";
import type { CapabilityUse } from "./capability-use.ts";
import { checkRoom } from "./check-room.ts";
import { groupOf, type PluginKind } from "./checks.ts";
import { makeFindings, type CheckResult, type Findings, type Outcome } from "./findings.ts";
import type { SampleEvent } from "./sample-event.ts";
import { tellProblems } from "./static-findings.ts";

export interface PluginReport {
  /** No check failed; warnings are none of that. */
  readonly ok: boolean;
  /** Whether an install would take it. */
  readonly installable: boolean;
  readonly kind: PluginKind | null;
  /** Whether its code was run. */
  readonly ran: boolean;
  /** What the operator would be asked; null where the manifest can't be read. */
  readonly candidate: CandidateView | null;
  readonly counts: Readonly<Record<Outcome, number>>;
  readonly results: readonly CheckResult[];
  /** What of its rights it used; empty where its code was not run, or is an executable. */
  readonly capabilities: readonly CapabilityUse[];
  /** What an install would say, error by error. */
  readonly problems: readonly Problem[];
}

/** What a check needs of the world. */
export interface CheckPowers {
  readonly bundle: BundlePlugin;
  readonly openRooms: Readonly<Record<WalledRoomKind, OpenRoom>>;
  readonly canConfine: boolean;
  readonly sample: SampleEvent;
  /** What executables find in their environment. */
  readonly environment: Readonly<Record<string, string>>;
  readonly freePort: () => number;
  /** Random letters. */
  readonly mark: () => string;
  readonly clock: Clock;
}

export interface CheckOptions {
  /** Asked once before an executable is run. */
  readonly mayRun: (candidate: CandidateView) => Promise<boolean>;
  /** False: nothing is run, in no room. */
  readonly run: boolean;
  /** Checks, or groups of them; empty: all. */
  readonly only: readonly string[];
  readonly image: string;
  /** The most that a call may take. */
  readonly mostMs: number;
  /** Before the first result. */
  readonly onCandidate?: ((candidate: CandidateView) => void) | undefined;
  readonly onResult?: ((result: CheckResult) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

export async function checkPlugin(
  files: PackageFiles,
  powers: CheckPowers,
  options: CheckOptions,
): Promise<PluginReport> {
  const findings = makeFindings(options);
  const openModule = options.run ? undefined : powers.openRooms["wasm-process"];
  const checked = await checkFiles(files, { bundle: powers.bundle, openModule });
  if (checked.candidate !== null) options.onCandidate?.(checked.candidate);
  tellProblems(findings, checked, options.run);
  const { ran, capabilities } =
    checked.ok && options.run ? await run(files, checked, findings, powers, options) : NOT_RUN;
  const { results } = findings;
  const failed = results.filter(({ outcome }) => outcome === "failed");
  return {
    ok: failed.length === 0,
    installable: checked.ok && failed.every(({ check }) => groupOf(check) !== "code"),
    kind: checked.manifest === undefined ? null : kindOf(checked.manifest),
    ran,
    candidate: checked.candidate,
    counts: countsOf(results),
    results,
    capabilities,
    problems: checked.problems,
  };
}

// --- internal ---

interface Run {
  readonly ran: boolean;
  readonly capabilities: readonly CapabilityUse[];
}

const NOT_RUN: Run = { ran: false, capabilities: [] };

async function run(
  files: PackageFiles,
  { manifest, code, candidate }: Checked,
  findings: Findings,
  powers: CheckPowers,
  options: CheckOptions,
): Promise<Run> {
  if (manifest === undefined || code === undefined || candidate === null) return NOT_RUN;
  const { mostMs, signal, image } = options;
  if (manifest.tier !== null)
    return {
      ran: true,
      capabilities: await checkRoom({ ...powers, manifest, code, findings, mostMs, signal }),
    };
  if (!(await options.mayRun(candidate))) return NOT_RUN;
  const mark = powers.mark();
  await checkProgram({ ...powers, manifest, files, findings, image, mark, mostMs, signal });
  return { ran: true, capabilities: [] };
}

const KINDS = { 1: "wasm", 2: "js" } as const;

function kindOf({ tier, provider }: Manifest): PluginKind {
  if (tier !== null) return KINDS[tier];
  return provider === undefined ? "hook" : "provider";
}

function countsOf(results: readonly CheckResult[]): Record<Outcome, number> {
  const counts = { passed: 0, failed: 0, warning: 0, skipped: 0 };
  for (const { outcome } of results) counts[outcome]++;
  return counts;
}
