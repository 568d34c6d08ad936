/**
 * The tables `[notify.NAME]` of the configuration: channels that the daemon holds. A channel's URL, headers and secret are
 * secrets: no message here repeats a value. Read by daemon/config.ts.
 */
import * as v from "valibot";
import { isVoxError } from "../../base/errors.ts";
import { checkHeaders } from "../../platform/http/request.ts";
import { parseTarget } from "../../platform/http/target.ts";
import { absoluteFile } from "./absolute-file.ts";
import { emailSchema } from "./email-schema.ts";
import { BODY_TYPES, escapeFor } from "./escapes.ts";
import { template } from "./template-schema.ts";

export const WEB_URL = "an http or https URL without user and password, to a port that speaks HTTP";

/** Where it leads: exactly one of them. */
const url = {
  url: v.optional(v.pipe(v.string("an http or https URL"), v.check(isWebUrl, WEB_URL))),
  url_file: v.optional(absoluteFile()),
};

const ONE_URL = "url or url_file, one of them";

const headers = v.pipe(
  v.record(v.string(), v.string("a text")),
  v.check(
    (table) => areHeaders(Object.entries(table)),
    "headers that the daemon does not set itself, of plain characters",
  ),
);

const templates = { title: v.optional(template), text: v.optional(template) };

/**
 * @example
 * [notify.ops]
 * type = "webhook"
 * url = "https://example.com/hook"
 * secret_file = "/etc/voxeltron/hook"   # optional: signs each request; or secret = "…"
 * headers = { authorization = "…" }     # optional
 * body = '{"message": "{{text}}"}'      # optional: what the service at that address wants
 */
export const channelSchema = v.variant(
  "type",
  [
    v.pipe(
      v.strictObject({
        type: v.literal("webhook"),
        ...url,
        headers: v.optional(headers, {}),
        secret: v.optional(v.pipe(v.string("a text"), v.minLength(1, "a text that is not empty"))),
        secret_file: v.optional(absoluteFile()),
        body: v.optional(template),
        ...templates,
      }),
      v.check((channel) => hasOneUrl(channel), ONE_URL),
      v.check(
        ({ secret, secret_file: file }) => secret === undefined || file === undefined,
        "secret or secret_file, not both",
      ),
      v.check(
        ({ headers, body }) => body === undefined || escapeFor(contentTypeOf(headers)) !== undefined,
        `with a body, a Content-Type that is one of ${BODY_TYPES.join(", ")}`,
      ),
      v.check(
        // Placeholders outside of quotes are no JSON, so what passes has them in texts only.
        ({ headers, body }) => body === undefined || !isJson(contentTypeOf(headers)) || parses(body),
        "a body that is JSON, with placeholders between quotes only",
      ),
    ),
    v.pipe(
      v.strictObject({ type: v.literal("slack"), ...url, ...templates }),
      v.check((channel) => hasOneUrl(channel), ONE_URL),
    ),
    v.pipe(
      v.strictObject({ type: v.literal("discord"), ...url, ...templates }),
      v.check((channel) => hasOneUrl(channel), ONE_URL),
    ),
    emailSchema,
  ],
  (issue) =>
    issue.type === "variant" ? 'type = "webhook", "slack", "discord" or "email"' : "a table with a type",
);

export type Channel = v.InferOutput<typeof channelSchema>;
export type HttpChannel = Exclude<Channel, { readonly type: "email" }>;

/** Of a webhook's own headers; JSON where they name none. */
export function contentTypeOf(headers: Readonly<Record<string, string>>): string {
  const own = Object.entries(headers).find(([name]) => name.toLowerCase() === "content-type");
  return own?.[1] ?? "application/json";
}

export function isWebUrl(text: string): boolean {
  return isAccepted(() => parseTarget(text));
}

// --- internal ---

function hasOneUrl({
  url: text,
  url_file: file,
}: {
  readonly url?: string | undefined;
  readonly url_file?: string | undefined;
}): boolean {
  return (text === undefined) !== (file === undefined);
}

function areHeaders(pairs: readonly (readonly [string, string])[]): boolean {
  return isAccepted(() => checkHeaders(pairs));
}

function isJson(contentType: string): boolean {
  return /^application\/json\b/i.test(contentType.trim());
}

function parses(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

function isAccepted(check: () => unknown): boolean {
  try {
    check();
    return true;
  } catch (error) {
    if (isVoxError(error)) return false;
    throw error;
  }
}
