/**
 * The question that stands between a plugin and any power. Shows what it asks for in the operator's words and turns the
 * answer into grants: `y` or --yes grants what is required and never what is optional, --grant exactly what it names.
 * No answer is no. Nothing from a manifest reaches the terminal unless it went through `printable`.
 */
import type { CandidateView, Input, PluginDetails } from "../api/operations.ts";
import { fail } from "../base/errors.ts";
import { isGrantName, UNSANDBOXED } from "../base/grant-names.ts";
import { printable, quote } from "../base/text.ts";
import { isInteractive, type Io } from "./io.ts";

export type Grants = Input<"plugin.install">["grants"];

/** What the command line said about it: nothing, --yes, or --grant. */
export interface ConsentFlags {
  readonly yes: boolean;
  readonly grants: Grants;
  /** With --json and a flag that answers, nobody reads the transcript. */
  readonly quiet: boolean;
  /** More to know before consenting: lines of the same kind as the transcript's own. */
  readonly remarks?: readonly string[];
}

/** Throws `consent.needed` (nobody to ask) or `consent.refused`. `installed`: the version that this one would replace. */
export async function obtainConsent(
  io: Io,
  candidate: CandidateView,
  installed: PluginDetails | undefined,
  flags: ConsentFlags,
): Promise<Grants> {
  const asks = candidate.required.length > 0;
  const answered = flags.yes || flags.grants.length > 0;
  if (asks && !answered && !isInteractive(io)) throw consentNeeded(candidate);
  if (!(answered && flags.quiet)) await io.stderr.write(transcript(candidate, installed, flags.remarks));
  if (flags.grants.length > 0) return flags.grants;
  if (asks && !flags.yes) {
    const answer = await io.ask(`\n${question(candidate)} [y/N]: `);
    if (!isYes(answer))
      throw fail("consent.refused", `${printable(candidate.name)} was not installed: you did not consent`);
  }
  return requiredGrants(candidate);
}

/** The block above the question. */
export function transcript(
  candidate: CandidateView,
  installed: PluginDetails | undefined,
  more: readonly string[] = [],
): string {
  const lines = [`Plugin: ${printable(candidate.name)} v${printable(candidate.version)}`];
  if (candidate.replaces !== null) lines.push(`  replaces v${printable(candidate.replaces)}`);
  if (candidate.required.length === 0) lines.push("Requires no capabilities.");
  else lines.push("Requires capabilities:", ...candidate.required.map((asked) => bullet(asked, installed)));
  lines.push(...[...remarks(candidate, installed), ...more].map((remark) => `  ${remark}`));
  return `${lines.join("\n")}\n`;
}

/** `yes`, in any case. Anything else, and nothing at all, is no. */
export function isYes(answer: string | undefined): boolean {
  return answer !== undefined && /^y(?:es)?$/i.test(answer.trim());
}

// --- internal ---

function question({ required }: CandidateView): string {
  return required.some(({ capability }) => capability === UNSANDBOXED)
    ? "Run this program unsandboxed, with the daemon's full access?"
    : "Grant these capabilities?";
}

type Asked = CandidateView["required"][number];

function bullet(asked: Asked, installed: PluginDetails | undefined): string {
  const isNew =
    installed !== undefined && !installed.granted.some((grant) => grant.capability === asked.capability);
  return `  • ${riskText(asked)}${isNew ? ", new in this version" : ""}`;
}

function riskText(asked: Asked): string {
  return `${printable(asked.capability)} (${printable(asked.risk)} risk)`;
}

function remarks(candidate: CandidateView, installed: PluginDetails | undefined): readonly string[] {
  const noLongerAsked = (installed?.granted ?? [])
    .map((grant) => grant.capability)
    .filter((name) => ![...candidate.required, ...candidate.optional].some((a) => a.capability === name));
  return [
    ...candidate.required.flatMap(wordsOf),
    ...candidate.hooks
      .filter((hook) => hook.gate)
      .map((hook) => `${printable(hook.hook)} is a gate: this plugin can stop the operation`),
    ...candidate.optional.flatMap((asked) => [
      `optional, not granted now: ${riskText(asked)}`,
      ...wordsOf(asked),
    ]),
    ...noLongerAsked.map((name) => `no longer asked for: ${printable(name)}`),
  ];
}

function wordsOf(asked: Asked): readonly string[] {
  const name = printable(asked.capability);
  return [
    ...(asked.scope === undefined ? [] : [`${name} ${reachText(asked.capability, asked.scope)}`]),
    ...(asked.reason === undefined ? [] : [`${name}, reason given: ${printable(asked.reason)}`]),
  ];
}

function reachText(capability: string, scope: readonly string[]): string {
  // The one entry that is more than the capability alone, and no limit.
  if (capability === "docker_read" && scope.includes("all"))
    return "is for all containers of this machine, not only for voxeltron's own";
  return `is limited to: ${printable(scope.join(", ")) || "nothing"}`;
}

function requiredGrants(candidate: CandidateView): Grants {
  return candidate.required.map(({ capability, scope }) => {
    if (!isGrantName(capability))
      throw fail("plugin.unsupported", `this voxeltron knows no capability ${quote(capability)}`);
    return { capability, ...(scope === undefined ? {} : { scope }) };
  });
}

function consentNeeded(candidate: CandidateView): Error {
  const names = candidate.required.map((asked) => printable(asked.capability));
  return fail(
    "consent.needed",
    `${printable(candidate.name)} asks for ${names.join(", ")}, and there is no terminal to consent at`,
    {
      hint: `pass --yes, or for exactly these: ${names.map((name) => `--grant ${name}`).join(" ")}`,
      details: { required: names },
    },
  );
}
