/**
 * What each type of channel is sent: one row a type, from a notification to a body and headers. Pure. A plugin's text can
 * neither call out a whole room (`<!channel>`, `@everyone`) nor hide a link. Called by notify.ts.
 */
import { timestamp } from "../../base/clock.ts";
import type { HeaderPair } from "../../platform/http/request.ts";
import type { Severity } from "../../sdk/index.ts";
import type { Channel } from "./channel-schema.ts";
import type { Notification } from "./notification.ts";

export interface Payload {
  readonly headers: readonly HeaderPair[];
  readonly body: Uint8Array<ArrayBuffer>;
}

export interface Envelope {
  readonly channel: string;
  /** The same at each attempt, so that a receiver can tell a repetition. */
  readonly id: string;
  readonly atMs: number;
}

/**
 * A webhook gets `{id, at, channel, from, title?, text, severity}`; with a `secret` also `X-Voxeltron-Timestamp` (seconds) and
 * `X-Voxeltron-Signature: sha256=<hex>`, the HMAC-SHA256 of `<timestamp>.<body>`.
 */
export function payloadFor(channel: Channel, message: Notification, envelope: Envelope): Payload {
  if (channel.type === "slack") return json(slack(message));
  if (channel.type === "discord") return json(discord(message));
  const payload = json({
    id: envelope.id,
    at: timestamp(envelope.atMs),
    channel: envelope.channel,
    ...message,
  });
  const headers: HeaderPair[] = [...payload.headers, ["x-voxeltron-delivery", envelope.id]];
  if (channel.secret !== undefined) headers.push(...signature(channel.secret, payload.body, envelope.atMs));
  const own = Object.entries(channel.headers);
  const taken = new Set(own.map(([name]) => name.toLowerCase()));
  return { body: payload.body, headers: [...headers.filter(([name]) => !taken.has(name)), ...own] };
}

// --- internal ---

function json(value: unknown): Payload {
  return {
    headers: [["content-type", "application/json"]],
    body: new TextEncoder().encode(JSON.stringify(value)),
  };
}

function signature(secret: string, body: Uint8Array, atMs: number): readonly HeaderPair[] {
  const seconds = String(Math.floor(atMs / 1000));
  const hex = new Bun.CryptoHasher("sha256", secret).update(`${seconds}.`).update(body).digest("hex");
  return [
    ["x-voxeltron-timestamp", seconds],
    ["x-voxeltron-signature", `sha256=${hex}`],
  ];
}

const SIGNS: Readonly<Record<Severity, string>> = { info: "", warning: ":warning: ", error: ":x: " };
const COLOURS: Readonly<Record<Severity, number>> = { info: 0x2eb67d, warning: 0xecb22e, error: 0xe01e5a };

function slack({ title, text, severity }: Notification): unknown {
  const head = title === undefined ? "" : `*${slackText(title)}*\n`;
  return { text: `${SIGNS[severity]}${head}${slackText(text)}` };
}

/** Slack reads mentions and links only between angle brackets. */
function slackText(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}

function discord({ title, text, severity }: Notification): unknown {
  const embed = { ...(title === undefined ? {} : { title }), description: text, color: COLOURS[severity] };
  return { embeds: [embed], allowed_mentions: { parse: [] } };
}
