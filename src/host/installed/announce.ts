/**
 * Says something about a plugin where it is looked for: in the daemon's log and in the plugin's own. Never throws: a disk that is
 * full must not stop what is being told of. Called where the host does something to a plugin by itself.
 */
import { timestamp, type Clock } from "../../base/clock.ts";
import { messageOf } from "../../base/errors.ts";
import { LIMITS } from "../../base/limits.ts";
import type { Log } from "../../base/log.ts";
import { printable } from "../../base/text.ts";
import type { PluginLogs } from "./plugin-logs.ts";

export type Announce = (plugin: string, level: "info" | "warn" | "error", text: string) => void;

export interface AnnounceDeps {
  readonly logs: Pick<PluginLogs, "append">;
  readonly log: Log;
  readonly clock: Clock;
}

export function makeAnnounce({ logs, log, clock }: AnnounceDeps): Announce {
  return (plugin, level, text) => {
    const clean = printable(text, LIMITS.logTextChars);
    log[level](clean, { plugin });
    try {
      logs.append(plugin, { at: timestamp(clock.now()), level, text: clean });
    } catch (error) {
      log.error("a plugin's log line was lost", { plugin, problem: messageOf(error) });
    }
  };
}
