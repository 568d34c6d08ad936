/** What `plugin check` finds, as people read it: a line for each check, below the heading of its group, and the sum of it. */
import { GROUPS, groupOf, type CheckResult, type PluginReport } from "../api/offline.ts";
import type { CandidateView } from "../api/operations.ts";
import { LIMITS } from "../base/limits.ts";
import { printable } from "../base/text.ts";
import { transcript } from "./consent.ts";
import { facts } from "./output.ts";

/** What the operator would be asked. */
export function candidateText(candidate: CandidateView): string {
  return (
    transcript(candidate, undefined) +
    facts([
      ["hooks", candidate.hooks.map((hook) => hook.hook).join(", ")],
      ["digest", candidate.digest],
    ])
  );
}

/** Gives the lines of each result in turn: a heading where a new group begins, and one defect's words but once. */
export function makeResultText(): (result: CheckResult) => string {
  let group: string | undefined;
  const told = new Map<string, string>();
  return (result) => {
    const here = groupOf(result.check);
    const heading = here === group ? "" : `\n${GROUPS[here] ?? here}\n`;
    group = here;
    return heading + resultText(result, told);
  };
}

/** What it used of its rights, and what not. */
export function capabilitiesText({ capabilities }: PluginReport): string {
  return capabilities
    .map(({ capability, asked, uses, refused, calls, refusedCalls }) => {
      const times = (count: number, what: string): string[] =>
        count === 0 ? [] : [`${what} ${count === 1 ? "once" : `${count} times`}`];
      const what = [...times(uses, "used"), ...times(refused, "refused")].join(", ") || "not used";
      const all = [...new Set([...calls, ...refusedCalls])];
      const examples = all.length === 0 ? "" : `: ${printable(all.join(", "))}`;
      return `    ${printable(capability)} (${asked ?? "not asked for"}): ${what}${examples}\n`;
    })
    .join("");
}

export function sumText({ ok, installable, ran, counts }: PluginReport): string {
  const parts = [
    `${counts.passed} passed`,
    ...(counts.failed > 0 ? [`${counts.failed} failed`] : []),
    ...(counts.warning > 0 ? [`${counts.warning} ${counts.warning === 1 ? "warning" : "warnings"}`] : []),
    ...(counts.skipped > 0 ? [`${counts.skipped} not done`] : []),
    ...(ran ? [] : ["its code was not run"]),
  ];
  const verdict = ok
    ? "✓ Plugin can be installed"
    : installable
      ? "✗ Plugin has defects"
      : "✗ Plugin can't be installed";
  return `\n${parts.join(", ")}\n${verdict}\n`;
}

// --- internal ---

const MARKS: Readonly<Record<CheckResult["outcome"], string>> = {
  passed: "✓",
  failed: "✗",
  warning: "!",
  skipped: "–",
};

function resultText(result: CheckResult, told: Map<string, string>): string {
  const { title, subject, outcome, note, found, wanted, advice, code, problem } = result;
  const name = `${title}${subject === undefined ? "" : `: ${printable(subject)}`}`;
  const line = `  ${MARKS[outcome]} ${name}${note === undefined ? "" : ` (${printable(note)})`}\n`;
  if (found === undefined) return line;
  // One habit of a program shows in each of its calls.
  const defect = problem === undefined ? found : `${code} ${problem}`;
  const before = told.get(defect);
  told.set(defect, before ?? name);
  if (before !== undefined && code !== undefined) return `${line}      found:  the same as in “${before}”\n`;
  const rows = [
    ["found:", code === undefined ? found : `${found} (${code})`],
    ["wanted:", wanted],
    ["do:", advice],
  ] as const;
  return (
    line +
    rows
      .filter(([, text]) => text !== undefined)
      .map(([key, text]) => `      ${key.padEnd(8)}${printable(text ?? "", LIMITS.errorTextChars)}\n`)
      .join("")
  );
}
