/**
 * The tables `[notify.NAME]` of the configuration: channels that the daemon holds. A channel's URL, headers and secret are
 * secrets: no message here repeats a value. Read by daemon/config.ts.
 */
import * as v from "valibot";
import { isVoxError } from "../../base/errors.ts";
import { checkHeaders } from "../../platform/http/request.ts";
import { parseTarget } from "../../platform/http/target.ts";

const url = v.pipe(
  v.string("an http or https URL"),
  v.check(isWebUrl, "an http or https URL without user and password, to a port that speaks HTTP"),
);

const headers = v.pipe(
  v.record(v.string(), v.string("a text")),
  v.check(
    (table) => areHeaders(Object.entries(table)),
    "headers that the daemon does not set itself, of plain characters",
  ),
);

/**
 * @example
 * [notify.ops]
 * type = "webhook"
 * url = "https://example.com/hook"
 * secret = "…"                          # optional: signs each request
 * headers = { authorization = "…" }     # optional
 */
export const channelSchema = v.variant(
  "type",
  [
    v.strictObject({
      type: v.literal("webhook"),
      url,
      headers: v.optional(headers, {}),
      secret: v.optional(v.pipe(v.string("a text"), v.minLength(1, "a text that is not empty"))),
    }),
    v.strictObject({ type: v.literal("slack"), url }),
    v.strictObject({ type: v.literal("discord"), url }),
  ],
  (issue) => (issue.type === "variant" ? 'type = "webhook", "slack" or "discord"' : "a table with a type"),
);

export type Channel = v.InferOutput<typeof channelSchema>;

// --- internal ---

function isWebUrl(text: string): boolean {
  return isAccepted(() => parseTarget(text));
}

function areHeaders(pairs: readonly (readonly [string, string])[]): boolean {
  return isAccepted(() => checkHeaders(pairs));
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
