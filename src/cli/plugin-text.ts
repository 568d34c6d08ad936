/** A plugin and its log lines, as people read them. */
import type { LogView, PluginDetails, PluginView } from "../api/operations.ts";
import { LIMITS } from "../base/limits.ts";
import { printable } from "../base/text.ts";
import { unusedText } from "./audit-text.ts";
import { facts, table } from "./output.ts";

/** Where it lies is shown where any lies in a folder of plugins. */
export function pluginTable(plugins: readonly PluginView[]): string {
  const hasFolders = plugins.some(({ folder }) => folder !== null);
  const header = ["NAME", "VERSION", "KIND", "TIER", "STATE", "ROOM"];
  const rows = plugins.map((plugin) => {
    const { name, version, tier, state, room, folder } = plugin;
    return [name, version, kindText(plugin), tier, state, room, ...(hasFolders ? [folder] : [])];
  });
  return table(hasFolders ? [...header, "FOLDER"] : header, rows, "no plugins are installed");
}

export function pluginText(plugin: PluginDetails): string {
  const { capabilities, unused } = plugin;
  const standing = capabilities.length === 0 ? "" : `\n${standingText(capabilities)}`;
  return [pluginFacts(plugin), standing, unusedText(unused)].join("");
}

export function logLine(entry: LogView): string {
  const fields = Object.entries(entry.fields ?? {}).map(([key, value]) => ` ${key}=${JSON.stringify(value)}`);
  const level = printable(entry.level).padEnd(5);
  return `${printable(entry.at)} ${level} ${printable(`${entry.text}${fields.join("")}`, LIMITS.logTextChars)}\n`;
}

// --- internal ---

function pluginFacts(plugin: PluginDetails): string {
  return facts([
    ["name", plugin.name],
    ["version", plugin.version],
    ["description", plugin.description],
    ["state", plugin.reason === null ? plugin.state : `${plugin.state}: ${plugin.reason}`],
    ["kind", plugin.tier === null ? kindText(plugin) : `${kindText(plugin)}, tier ${plugin.tier}`],
    ["room", roomText(plugin)],
    ["folder", plugin.folder],
    ["linked to", plugin.link],
    ["hooks", plugin.hooks.map((hook) => (hook.gate ? `${hook.hook} (gate)` : hook.hook)).join(", ")],
    ["actions", plugin.provider?.actions.join(", ") ?? null],
    ["instances", plugin.provider?.instances.join(", ") || null],
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

function kindText({ type, kind }: Pick<PluginView, "type" | "kind">): string {
  return type === "provider" ? `provider (${kind})` : kind;
}

function roomText({ room, roomReason, running }: PluginDetails): string | null {
  if (room === null) return null;
  return `${room} (${roomReason ?? "nobody knows why"}), ${running ? "running" : "not running"}`;
}

/** What it asked for, what it got, and why that is less. */
function standingText(capabilities: PluginDetails["capabilities"]): string {
  const rows = capabilities.map((each) => [
    `${each.capability} (${each.risk}, ${each.required ? "required" : "optional"})`,
    scopeText(each.requested),
    each.granted === null ? "no" : scopeText(each.granted),
    each.effective === null ? "nothing" : scopeText(each.effective),
    each.lastUsedAt ?? "never",
    each.why,
  ]);
  const header = ["CAPABILITY", "REQUESTED", "GRANTED", "EFFECTIVE", "LAST USED", "WHY LESS"];
  return [table(header, rows, ""), ...capabilities.map(remark)].join("");
}

/** What would make the table too wide. */
function remark({ capability, granted, reason }: PluginDetails["capabilities"][number]): string {
  const remarks = [
    granted === null ? "" : `granted ${printable(granted.at)} by ${printable(granted.by)}`,
    reason === null ? "" : `reason given: ${printable(reason)}`,
  ].filter(Boolean);
  return remarks.length === 0 ? "" : `${printable(capability)}: ${remarks.join("; ")}\n`;
}

function scopeText({ scope }: { readonly scope: readonly string[] | null }): string {
  return scope === null ? "everything" : scope.join(", ") || "nothing";
}
