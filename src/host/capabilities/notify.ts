/**
 * The notify family: `notify.send(channel, message)` to a channel that the host holds. The plugin never sees the channel's
 * address. Called by catalogue.ts; the sender is engine/notify, passed in.
 */
import * as v from "valibot";
import { fail } from "../../base/errors.ts";
import { LIMITS } from "../../base/limits.ts";
import { quote } from "../../base/text.ts";
import type { Severity } from "../../sdk/index.ts";
import { outOfScope } from "./denial.ts";
import { method, type Caller, type Method } from "./method.ts";
import type { NotifyRate } from "./notify-rate.ts";
import { inScope } from "./scopes.ts";

/** What the family needs of the engine's channels. */
export interface ChannelSender {
  /** Names, in order. */
  channels(): readonly string[];
  /** Resolves when the endpoint accepted it; throws `notify.unknown_channel` and `notify.failed`. */
  send(channel: string, message: ChannelMessage, signal: AbortSignal): Promise<unknown>;
}

export interface ChannelMessage {
  /** Who says it: the plugin's name. */
  readonly from: string;
  readonly title?: string | undefined;
  readonly text: string;
  readonly severity: Severity;
}

/** `notify.send {channel, message: string | {title?, text, severity?}}` → nothing. */
export function notifyMethods(sender: ChannelSender, rate: NotifyRate): readonly Method[] {
  return [
    method({
      name: "notify.send",
      args: ["channel", "message"],
      anyOf: ["notify_send"],
      params: v.strictObject({ channel: v.pipe(v.string(), v.maxLength(100)), message: messageSchema }),
      target: ({ channel }) => channel,
      scope: ({ channel }) => commandSafe(sender, channel),
      check: (caller, { channel }) => checkScope(caller, sender, channel),
      async run(caller, { channel, message }, signal) {
        checkChannel(caller, sender, channel);
        rate.take(caller.plugin);
        await sender.send(channel, { ...message, from: caller.plugin }, signal);
      },
    }),
  ];
}

// --- internal ---

const text = v.pipe(v.string(), v.minLength(1), v.maxLength(LIMITS.notifyTextChars));

const messageSchema = v.pipe(
  v.union(
    [
      text,
      v.strictObject({
        title: v.optional(v.pipe(v.string(), v.maxLength(LIMITS.notifyTitleChars))),
        text,
        severity: v.optional(v.picklist(["info", "warning", "error"]), "info"),
      }),
    ],
    `a text or {text, title?, severity?}, with a severity that is "info", "warning" or "error"`,
  ),
  v.transform((message) =>
    typeof message === "string" ? { text: message, severity: "info" as const } : message,
  ),
);

function checkScope(caller: Caller, sender: ChannelSender, channel: string): void {
  if (inScope(caller, "notify_send", channel)) return;
  const open = caller.grants.get("notify_send")?.join(", ") || "none";
  throw outOfScope(
    caller,
    "notify_send",
    `the channel ${quote(channel)} is none of those that it may use (${open})`,
    commandSafe(sender, channel),
  );
}

function checkChannel(caller: Caller, sender: ChannelSender, channel: string): void {
  if (sender.channels().includes(channel)) return;
  const known = sender.channels().filter((name) => inScope(caller, "notify_send", name));
  // In the message, not in a hint: it reaches people through the plugin's own error.
  const others = known.length === 0 ? "none is configured" : `there are: ${known.join(", ")}`;
  throw fail("notify.unknown_channel", `no channel is called ${quote(channel)}; ${others}`, {
    hint: "the operator configures it: [notify.NAME] with a type",
  });
}

/** A name that may stand in a command an operator pastes: one that exists and needs no quotes. */
function commandSafe(sender: ChannelSender, channel: string): string | undefined {
  return /^\w[\w.-]*$/.test(channel) && sender.channels().includes(channel) ? channel : undefined;
}
