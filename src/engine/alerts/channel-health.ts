/** Which notification channels took the last message that was sent to them, whoever sent it. Made by compose.ts, which tells it of each message. */
import type { AlertRow } from "../../state/alerts.ts";
import type { Trouble } from "./trouble-watch.ts";

export interface ChannelHealth {
  /** `problem`: why it did not take a message. */
  heard(channel: string, problem: string | undefined): void;
  /** `channels`: those that there are. One that failed before a restart stays so until something was sent to it. */
  troubles(channels: readonly string[], firing: readonly AlertRow[]): readonly Trouble[];
}

export function makeChannelHealth(): ChannelHealth {
  const last = new Map<string, string | undefined>();
  return {
    heard: (channel, problem) => void last.set(channel, problem),
    troubles(channels, firing) {
      const before = new Map(firing.map((row) => [row.subject, row.message]));
      return channels.flatMap((subject): Trouble[] => {
        const problem = last.get(subject);
        if (problem !== undefined)
          return [{ subject, message: `the notification channel ${subject} takes no messages: ${problem}` }];
        const message = last.has(subject) ? undefined : before.get(subject);
        return message === undefined ? [] : [{ subject, message, isUnclear: true }];
      });
    },
  };
}
