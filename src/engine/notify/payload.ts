/**
 * What each type of channel that is a URL is sent: one row a type, from a notification to a body and headers. Pure. A plugin's
 * text can neither call out a whole room (`<!channel>`, `@everyone`) nor hide a link. Called by post.ts.
 */
import { timestamp } from "../../base/clock.ts";
import type { HeaderPair } from "../../platform/http/request.ts";
import type { Severity } from "../../sdk/index.ts";
import { contentTypeOf, type HttpChannel } from "./channel-schema.ts";
import { escapeFor } from "./escapes.ts";
import type { Notification } from "./notification.ts";
import { render } from "./template.ts";
import { fieldsOf, wordingFor, type Envelope, type Wording } from "./wording.ts";

export interface Payload {
  readonly headers: readonly HeaderPair[];
  readonly body: Uint8Array<ArrayBuffer>;
}

/**
 * A webhook gets `{id, at, channel, from, title?, text, severity}`, or the body that the operator wrote; with a `secret` also
 * `X-Voxeltron-Timestamp` (seconds) and `X-Voxeltron-Signature: sha256=<hex>`, the HMAC-SHA256 of `<timestamp>.<body>`.
 */
export function payloadFor(channel: HttpChannel, message: Notification, envelope: Envelope): Payload {
  const wording = wordingFor(channel, message, envelope);
  if (channel.type === "slack") return json(slack(channel, wording, message.severity));
  if (channel.type === "discord") return json(discord(wording, message.severity));
  const payload =
    channel.body === undefined
      ? json({
          id: envelope.id,
          at: timestamp(envelope.atMs),
          channel: envelope.channel,
          from: message.from,
          ...wording,
          severity: message.severity,
        })
      : ownBody(channel.body, channel.headers, { ...message, ...wording }, envelope);
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

function ownBody(
  template: string,
  headers: Readonly<Record<string, string>>,
  message: Notification,
  envelope: Envelope,
): Payload {
  const contentType = contentTypeOf(headers);
  // The configuration's check leaves no other types.
  const escape = escapeFor(contentType) ?? encodeURIComponent;
  return {
    headers: [["content-type", contentType]],
    body: new TextEncoder().encode(render(template, fieldsOf(message, envelope), escape)),
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

/** The operator who words it has the severity for it, or not. */
function slack(channel: HttpChannel, { title, text }: Wording, severity: Severity): unknown {
  const sign = channel.title === undefined && channel.text === undefined ? SIGNS[severity] : "";
  const head = title === undefined ? "" : `*${title}*\n`;
  return { text: `${sign}${head}${text}` };
}

/** Its own bounds: a longer title or description is refused whole. */
const DISCORD = { title: 256, text: 4_096 };

function discord({ title, text }: Wording, severity: Severity): unknown {
  const embed = {
    ...(title === undefined ? {} : { title: title.slice(0, DISCORD.title) }),
    description: text.slice(0, DISCORD.text),
    color: COLOURS[severity],
  };
  return { embeds: [embed], allowed_mentions: { parse: [] } };
}
