/**
 * A notification as a mail: who it is from and for, its subject, its text. Pure. The plugin's name is a header too, so that a
 * mail program can sort by it. Called by notify.ts.
 */
import { LIMITS } from "../../base/limits.ts";
import { printable } from "../../base/text.ts";
import type { Mail } from "../../platform/smtp/mail-message.ts";
import type { EmailChannel } from "./email-schema.ts";
import type { Notification } from "./notification.ts";
import { wordingFor, type Envelope } from "./wording.ts";

/** Without a title the first line of the text is the subject. */
export function mailFor(channel: EmailChannel, message: Notification, envelope: Envelope): Mail {
  const { title, text } = wordingFor(channel, message, envelope);
  const subject = title ?? text.split("\n").find((line) => line.trim() !== "") ?? "";
  const sign = channel.title === undefined ? SIGNS[message.severity] : "";
  return {
    from: channel.from,
    to: channel.to,
    subject: printable(`${sign}${subject}`, LIMITS.notifyTitleChars),
    text: `${text}\n`,
    id: `${envelope.id}@${channel.from.address.split("@")[1] ?? "localhost"}`,
    atMs: envelope.atMs,
    headers: [
      ["X-Voxeltron-Channel", printable(envelope.channel)],
      ["X-Voxeltron-From", printable(message.from)],
      ["X-Voxeltron-Severity", message.severity],
      ["X-Voxeltron-Delivery", envelope.id],
    ],
  };
}

// --- internal ---

const SIGNS = { info: "", warning: "[warning] ", error: "[error] " } as const;
