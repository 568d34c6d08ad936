/** What plugins did with what they may, as people read it. */
import type { AuditAnswer, AuditCallView } from "../api/audit-views.ts";
import { printable } from "../base/text.ts";
import { table } from "./output.ts";

export function auditText({ uses, unused, keptSince }: AuditAnswer): string {
  const rows = uses.map((use) => [
    use.plugin,
    use.capability,
    use.method,
    use.allowed,
    use.denied,
    use.failed,
    use.lastAt,
    targetsText(use),
  ]);
  const header = ["PLUGIN", "CAPABILITY", "METHOD", "ALLOWED", "DENIED", "FAILED", "LAST", "TARGETS"];
  const older = keptSince.map(
    ({ plugin, at }) => `${printable(plugin)}: calls before ${printable(at)} are counted, but not by time\n`,
  );
  return [table(header, rows, "nothing was asked for"), ...older, unusedText(unused)].join("");
}

export function callLine(call: AuditCallView): string {
  const target = call.target === null ? "" : ` ${printable(call.target)}`;
  const during = call.during === null ? "" : ` in ${printable(call.during)}`;
  const outcome = printable(call.outcome);
  return `${printable(call.at)} ${printable(call.plugin)} ${printable(call.method)}${target}${during}: ${outcome}\n`;
}

export function unusedText(unused: AuditAnswer["unused"]): string {
  if (unused.length === 0) return "";
  const lines = unused.map(({ plugin, capability, lastUsedAt, days, command }) => {
    const when = lastUsedAt === null ? "never" : `not since ${printable(lastUsedAt)}`;
    return `  ${printable(plugin)} used ${printable(capability)} ${when}, ${days} days: ${printable(command)}\n`;
  });
  return `\nGranted and not used; to take it back:\n${lines.join("")}`;
}

// --- internal ---

function targetsText({ targets, targetsInAll }: AuditAnswer["uses"][number]): string {
  const shown = targets.map(({ target, calls }) => (calls === 1 ? target : `${target} (${calls})`));
  const more = targetsInAll - targets.length;
  return [...shown, ...(more > 0 ? [`${more} more`] : [])].join(", ");
}
