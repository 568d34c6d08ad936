/** What is sent to a channel, whoever sends it. The text may come from a plugin and is cleaned here. Used by notify.ts. */
import { LIMITS } from "../../base/limits.ts";
import { printable } from "../../base/text.ts";
import type { Severity } from "../../sdk/index.ts";

export interface Notification {
  /** Who says it: a plugin's name, or the daemon. */
  readonly from: string;
  readonly title?: string | undefined;
  readonly text: string;
  readonly severity: Severity;
}

/** Without control and invisible characters; the text keeps its lines. */
export function cleanNotification(raw: Notification): Notification {
  const lines = raw.text.slice(0, LIMITS.notifyTextChars).split(/\r\n?|\n/);
  return {
    from: printable(raw.from),
    title: raw.title === undefined ? undefined : printable(raw.title, LIMITS.notifyTitleChars),
    text: lines.map((line) => printable(line, LIMITS.notifyTextChars)).join("\n"),
    severity: raw.severity,
  };
}

/** What `voxeltron notify test` sends. */
export function testNotification(channel: string): Notification {
  return {
    from: "voxeltron",
    title: "Test notification",
    text: `The channel ${printable(channel)} works: voxeltron sent this because somebody asked for a test.`,
    severity: "info",
  };
}
