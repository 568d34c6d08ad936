/** Results of a check as JUnit's XML, which build servers read. Warnings are passed tests with something to say. Pure. */
import { GROUPS, groupOf, type CheckResult, type PluginReport } from "../api/offline.ts";

export function junitText({ candidate, results }: PluginReport): string {
  const name = candidate?.name ?? "plugin";
  const suites = [...Map.groupBy(results, ({ check }) => groupOf(check))].map(([group, members]) =>
    suite(name, GROUPS[group] ?? group, members),
  );
  return `<?xml version="1.0" encoding="UTF-8"?>\n<testsuites name="${escaped(`voxeltron plugin check ${name}`)}" ${sums(results)}>\n${suites.join("")}</testsuites>\n`;
}

// --- internal ---

function suite(plugin: string, heading: string, results: readonly CheckResult[]): string {
  return `  <testsuite name="${escaped(heading)}" ${sums(results)}>\n${results
    .map((result) => testCase(plugin, result))
    .join("")}  </testsuite>\n`;
}

function sums(results: readonly CheckResult[]): string {
  const count = (outcome: CheckResult["outcome"]): number =>
    results.filter((result) => result.outcome === outcome).length;
  return `tests="${results.length}" failures="${count("failed")}" skipped="${count("skipped")}"`;
}

function testCase(plugin: string, result: CheckResult): string {
  const { check, title, subject, outcome } = result;
  const name = subject === undefined ? title : `${title}: ${subject}`;
  const inside = BODIES[outcome](result);
  const head = `    <testcase classname="${escaped(`${plugin}.${check}`)}" name="${escaped(name)}"`;
  return inside === "" ? `${head}/>\n` : `${head}>${inside}</testcase>\n`;
}

const BODIES: Readonly<Record<CheckResult["outcome"], (result: CheckResult) => string>> = {
  passed: () => "",
  skipped: ({ note = "" }) => `<skipped message="${escaped(note)}"/>`,
  warning: (result) => `<system-out>${escaped(`warning: ${wordsOf(result)}`)}</system-out>`,
  failed: (result) =>
    `<failure type="${escaped(result.code ?? result.check)}" message="${escaped(result.found ?? "")}">${escaped(wordsOf(result))}</failure>`,
};

function wordsOf({ found, wanted, advice }: CheckResult): string {
  return [`found: ${found ?? ""}`, `wanted: ${wanted ?? ""}`, `do: ${advice ?? ""}`].join("\n");
}

/** Characters that XML has no place for are left out: an escape of them is no better. */
function escaped(text: string): string {
  return text
    .replaceAll(/[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/gu, "")
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;");
}
