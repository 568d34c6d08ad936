/** A plugin and its log lines, as people read them. */
import type { LogView, PluginDetails } from "../api/operations.ts";
import type { PluginReport } from "../api/offline.ts";
import { LIMITS } from "../base/limits.ts";
import { printable } from "../base/text.ts";
import { transcript } from "./consent.ts";
import { facts } from "./output.ts";

export function pluginFacts(plugin: PluginDetails): string {
  return facts([
    ["name", plugin.name],
    ["version", plugin.version],
    ["description", plugin.description],
    ["state", plugin.reason === null ? plugin.state : `${plugin.state}: ${plugin.reason}`],
    ["kind", plugin.tier === null ? plugin.kind : `${plugin.kind}, tier ${plugin.tier}`],
    ["room", roomText(plugin)],
    ["linked to", plugin.link],
    ["hooks", plugin.hooks.map((hook) => (hook.gate ? `${hook.hook} (gate)` : hook.hook)).join(", ")],
    ...plugin.granted.map(
      (grant) => ["granted", `${risky(grant)}, ${grant.grantedAt} by ${grant.grantedBy}`] as const,
    ),
    ...plugin.notGranted.map((asked) => ["not granted", risky(asked)] as const),
    [
      "waiting",
      plugin.pending === 0 ? null : plugin.pending === 1 ? "1 delivery" : `${plugin.pending} deliveries`,
    ],
    ["stopped", plugin.strikes === 0 ? null : `${plugin.strikes}× in the last ten minutes`],
    ...plugin.warnings.map((warning) => ["warning", warning] as const),
    ["source", plugin.source],
    ["installed", plugin.installedAt],
    ["digest", plugin.digest],
    ...plugin.versions.map(
      ({ version, digest, installedAt }) =>
        ["earlier", `${version}, installed ${installedAt}, ${digest}`] as const,
    ),
  ]);
}

export function logLine(entry: LogView): string {
  const fields = Object.entries(entry.fields ?? {}).map(([key, value]) => ` ${key}=${JSON.stringify(value)}`);
  const level = printable(entry.level).padEnd(5);
  return `${printable(entry.at)} ${level} ${printable(`${entry.text}${fields.join("")}`, LIMITS.logTextChars)}\n`;
}

/** `plugin check`: what the operator would be asked, then what is wrong. */
export function reportText(report: PluginReport): string {
  const { candidate, problems } = report;
  const asked =
    candidate === null
      ? ""
      : transcript(candidate, undefined) +
        facts([
          ["hooks", candidate.hooks.map((hook) => hook.hook).join(", ")],
          ["digest", candidate.digest],
        ]);
  const found = problems.map(({ level, code, message, hint }) => {
    const advice = hint === undefined ? "" : `\n  hint: ${printable(hint)}`;
    return `${level}: ${printable(message, LIMITS.errorTextChars)} (${code})${advice}\n`;
  });
  return `${asked}${found.join("")}${report.ok ? "✓ Plugin can be installed\n" : ""}`;
}

// --- internal ---

function roomText({ room, roomReason, running }: PluginDetails): string | null {
  if (room === null) return null;
  return `${room} (${roomReason ?? "nobody knows why"}), ${running ? "running" : "not running"}`;
}

function risky(asked: {
  readonly capability: string;
  readonly risk: string;
  readonly scope?: readonly string[] | null | undefined;
}): string {
  const scope = asked.scope === undefined || asked.scope === null ? "" : ` for ${asked.scope.join(", ")}`;
  return `${asked.capability} (${asked.risk} risk)${scope}`;
}
