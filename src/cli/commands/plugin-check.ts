/**
 * `plugin check`: tries a plugin before anybody installs it, for its author and his build server. Needs no daemon. What is found goes
 * to stdout as it is found; the exit status says whether all is well.
 */
import { writeFileSync } from "node:fs";
import type { CheckResult, PluginReport } from "../../api/offline.ts";
import type { CandidateView } from "../../api/operations.ts";
import { CHECK_LIMITS } from "../../base/check-limits.ts";
import { parseDuration } from "../../base/duration.ts";
import { fail, unreadableBecause, type VoxError } from "../../base/errors.ts";
import { nameAdvice, printable, quote } from "../../base/text.ts";
import { argument, command } from "../command.ts";
import { isYes } from "../consent.ts";
import { isInteractive, type Io } from "../io.ts";
import { json } from "../output.ts";
import { usage } from "../parse.ts";

const words = "plugin check";

export const pluginCheck = command({
  words,
  summary: "check a plugin's folder without installing it, and run it as far as that goes",
  args: [{ name: "dir" }],
  options: {
    yes: { type: "flag", summary: "run an executable without asking" },
    "no-run": { type: "flag", summary: "run nothing: look at the files alone" },
    image: {
      type: "text",
      value: "REF",
      summary: "what a provider creates its instances from (busybox)",
    },
    timeout: {
      type: "text",
      value: "TIME",
      summary: "the most that one call may take (what the manifest says, at most 2m)",
    },
    only: { type: "list", value: "CHECK", summary: "this check, or this group of checks, alone" },
    junit: { type: "text", value: "FILE", summary: "write the results there too, as JUnit's XML" },
  },
  example: [
    "voxeltron plugin check ./my-plugin",
    "voxeltron plugin check ./my-provider --yes --image alpine:3.22 --junit report.xml",
    "voxeltron plugin check ./my-hook --no-run --only manifest",
  ].join("\n"),
  notes: [
    "JavaScript and WASM run confined, as in the daemon, with stand-ins for all that they may ask for: nothing is sent anywhere.",
    "An executable runs unsandboxed, as you, so it is asked for first. A provider makes instances called voxeltron-check-…, and destroys them.",
    "Exit status: 0 no failure, 1 a check failed, 5 not run for want of a yes, 7 it can't be installed.",
  ],
  async run(context) {
    const { io, flags, options } = context;
    const dir = argument(context, "dir");
    const { checkPluginFolder, CHECK_IDS, groupOf } = await import("../../api/offline.ts");
    const text = await import("../check-text.ts");
    const known = [...new Set(CHECK_IDS.map(groupOf)), ...CHECK_IDS];
    const only = options.only.flatMap((each) => each.split(","));
    const stray = only.find((each) => !known.includes(each));
    if (stray !== undefined)
      throw fail("usage.invalid", `there is no check ${quote(stray)}`, { hint: nameAdvice(stray, known) });
    if (options.yes && options["no-run"]) throw usage("--yes and --no-run exclude each other", { words });

    const out = makeOutput(io, flags.json);
    const consent = makeConsent(io, options.yes, () => out.written());
    const stop = new AbortController();
    const unhook = io.onInterrupt(() => stop.abort());
    const resultText = text.makeResultText();
    let report: PluginReport;
    try {
      report = await checkPluginFolder(
        dir,
        { config: flags.config, environment: io.environment, uid: io.uid },
        {
          run: !options["no-run"],
          mayRun: (candidate) => consent.ask(candidate),
          only,
          image: options.image ?? IMAGE,
          mostMs: timeoutMs(options.timeout),
          onCandidate: (candidate: CandidateView) => out.write(text.candidateText(candidate)),
          onResult: (result: CheckResult) => out.write(resultText(result)),
          signal: stop.signal,
        },
      );
    } finally {
      unhook();
    }
    out.write(text.capabilitiesText(report) + text.sumText(report));
    await out.written();
    if (flags.json) await io.stdout.write(json(report));
    if (options.junit !== undefined) await writeJunit(options.junit, report);
    const problem = stop.signal.aborted
      ? fail("operation.interrupted", "the check was interrupted")
      : problemOf(report, consent.refused(), dir);
    if (problem !== undefined) throw problem;
  },
});

// --- internal ---

/** Small, and every registry of containers has it. */
const IMAGE = "busybox";

function timeoutMs(given: string | undefined): number {
  const ms = given === undefined ? CHECK_LIMITS.callMs : parseDuration(given);
  if (ms === undefined || ms < 1)
    throw usage(`--timeout is ${quote(given ?? "")}, wanted a duration such as "30s"`, { words });
  return ms;
}

interface Output {
  write(text: string): void;
  /** Resolves when all of it is out. */
  written(): Promise<void>;
}

/** In order, at the reader's pace. With --json there is one document, at the end. */
function makeOutput(io: Io, isJson: boolean): Output {
  let last: Promise<void> = Promise.resolve();
  return {
    write(text) {
      if (isJson) return;
      last = last.then(() => io.stdout.write(text));
      // Told by whoever waits for it.
      last.catch(() => {});
    },
    written: () => last,
  };
}

interface Consent {
  ask(candidate: CandidateView): Promise<boolean>;
  /** Why it was not run, if it was to be. */
  refused(): VoxError | undefined;
}

function makeConsent(io: Io, yes: boolean, written: () => Promise<void>): Consent {
  let refused: VoxError | undefined;
  return {
    async ask({ name }) {
      if (yes) return true;
      if (!isInteractive(io)) {
        refused = fail(
          "consent.needed",
          `${printable(name)} is an executable, and there is no terminal to ask whether it may be run`,
          { hint: "pass --yes to run it, unsandboxed, as you; or --no-run to look at its files alone" },
        );
        return false;
      }
      await written();
      if (isYes(await io.ask("\nRun this program now, unsandboxed, with your full access? [y/N]: ")))
        return true;
      refused = fail("consent.refused", `${printable(name)} was not run: you did not consent`);
      return false;
    },
    refused: () => refused,
  };
}

async function writeJunit(file: string, report: PluginReport): Promise<void> {
  const { junitText } = await import("../junit.ts");
  try {
    writeFileSync(file, junitText(report));
  } catch (error) {
    throw fail("usage.invalid", `${quote(file)} can't be written: ${unreadableBecause(error)}`);
  }
}

function problemOf(
  { ok, installable, counts }: PluginReport,
  refused: VoxError | undefined,
  dir: string,
): VoxError | undefined {
  if (!installable) return fail("plugin.invalid", `${quote(dir)} can't be installed as it is`);
  if (!ok)
    return fail(
      "plugin.check_failed",
      `${quote(dir)}: ${counts.failed === 1 ? "a check" : `${counts.failed} checks`} failed`,
    );
  return refused;
}
