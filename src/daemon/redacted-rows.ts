/**
 * The tables that keep what plugins say, with secrets taken out on the way in: a plugin that may read a secret may also log it, throw
 * it or name it in a call. Used by compose-host.ts.
 */
import { redactData, type Redact } from "../base/redact.ts";
import type { AuditRows } from "../state/audit.ts";
import type { DeliveryRows } from "../state/deliveries.ts";
import type { PluginLogRows } from "../state/plugin-logs.ts";

export function redactedLogRows(rows: PluginLogRows, redact: Redact): PluginLogRows {
  return {
    ...rows,
    append(plugin, { fields, ...line }) {
      const clean = { ...line, text: redact(line.text) };
      if (fields === undefined) return rows.append(plugin, clean);
      return rows.append(plugin, {
        ...clean,
        fields: redactData(fields, redact, redact) as Readonly<Record<string, unknown>>,
      });
    },
  };
}

export function redactedDeliveryRows(rows: DeliveryRows, redact: Redact): DeliveryRows {
  return {
    ...rows,
    update: (changes, at) =>
      rows.update(
        changes.map((change) => ({
          ...change,
          error: change.error === null ? null : redact(change.error),
        })),
        at,
      ),
  };
}

export function redactedAuditRows(rows: AuditRows, redact: Redact): AuditRows {
  return {
    ...rows,
    append: (row) => rows.append({ ...row, target: row.target === null ? null : redact(row.target) }),
  };
}
