/**
 * Title and text of a notification as one channel shows them: the operator's templates over what was sent, values escaped for
 * the channel's syntax. Pure. Called by payload.ts and mail.ts.
 */
import { timestamp } from "../../base/clock.ts";
import type { Channel } from "./channel-schema.ts";
import { discordText, slackText } from "./escapes.ts";
import type { Notification } from "./notification.ts";
import { render, type Fields } from "./template.ts";

/** What is known of one sending beside the message. */
export interface Envelope {
  readonly channel: string;
  /** The name of the daemon's machine. */
  readonly host: string;
  /** The same at each attempt, so that a receiver can tell a repetition. */
  readonly id: string;
  readonly atMs: number;
}

export interface Wording {
  /** Never empty. */
  readonly title?: string;
  readonly text: string;
}

export function wordingFor(channel: Channel, message: Notification, envelope: Envelope): Wording {
  const escape = ESCAPES[channel.type];
  const fields = fieldsOf(message, envelope);
  const title = render(channel.title ?? "{{title}}", fields, escape);
  const text = render(channel.text ?? "{{text}}", fields, escape);
  return { ...(title === "" ? {} : { title }), text };
}

export function fieldsOf(message: Notification, { channel, host, id, atMs }: Envelope): Fields {
  return { ...message, title: message.title ?? "", channel, host, id, at: timestamp(atMs) };
}

// --- internal ---

const ESCAPES: Readonly<Record<Channel["type"], (value: string) => string>> = {
  slack: slackText,
  discord: discordText,
  webhook: (value) => value,
  email: (value) => value,
};
