/**
 * One plugin's log: makes a guest's line safe to keep and to print, and keeps a flood out. Never throws: a disk that is
 * full must not stop a hook. Called by broker.ts.
 */
import { timestamp, type Clock } from "../../base/clock.ts";
import { messageOf } from "../../base/errors.ts";
import { LIMITS } from "../../base/limits.ts";
import { LOG_LEVELS, type Log, type LogLevel } from "../../base/log.ts";
import { printable } from "../../base/text.ts";
import type { PluginLogs } from "../installed/plugin-logs.ts";
import type { PluginDoor } from "../runtimes/runtime.ts";
import { makeFloodGate } from "./flood-gate.ts";

export function makePluginLog(
  plugin: string,
  logs: Pick<PluginLogs, "append">,
  clock: Clock,
  log: Log,
): PluginDoor["log"] {
  function append(level: LogLevel, text: string, fields?: Readonly<Record<string, unknown>>): void {
    const line = { at: timestamp(clock.now()), level, text };
    try {
      logs.append(plugin, fields === undefined ? line : { ...line, fields });
    } catch (error) {
      log.error("a plugin's log line was lost", { plugin, problem: messageOf(error) });
    }
  }
  const gate = makeFloodGate(clock, { burst: LIMITS.logBurst, perSecond: LIMITS.logPerSecond }, (dropped) =>
    append("warn", `${dropped} lines were dropped: more than ${LIMITS.logPerSecond} a second`),
  );
  return (level, text, fields) => {
    if (!gate.pass()) return;
    append(
      LOG_LEVELS.includes(level) ? level : "info",
      printable(text, LIMITS.logTextChars),
      fields === undefined ? undefined : cleanFields(fields),
    );
  };
}

// --- internal ---

/** Plain JSON without what could move a cursor, or a note in its place where it is too long. */
function cleanFields(fields: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const text = JSON.stringify(fields);
  if (text.length > LIMITS.logTextChars) return { omitted: `fields of ${text.length} characters` };
  return cleanValue(JSON.parse(text)) as Record<string, unknown>;
}

function cleanValue(value: unknown): unknown {
  if (typeof value === "string") return printable(value, LIMITS.logTextChars);
  if (Array.isArray(value)) return value.map(cleanValue);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [printable(key), cleanValue(item)]));
}
