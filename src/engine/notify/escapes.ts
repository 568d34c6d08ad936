/**
 * How a text is put into something that has a syntax of its own, so that it stays text there: one function a syntax. Pure.
 * Used by wording.ts and payload.ts.
 */

/** Slack reads mentions and links only between angle brackets. */
export function slackText(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}

/** In an embed nobody can be called out, but `[Bank](https://evil.example)` would be a link that hides where it leads. */
export function discordText(text: string): string {
  return text.replaceAll("](", "]\\(");
}

/** How a body of this type takes a value; undefined for types that no value can be put into safely. */
export function escapeFor(contentType: string): ((value: string) => string) | undefined {
  const type = contentType.split(";")[0]?.trim().toLowerCase() ?? "";
  return Object.hasOwn(BODIES, type) ? BODIES[type] : undefined;
}

export const BODY_TYPES = [
  "application/json",
  "application/x-www-form-urlencoded",
  "text/html",
  "text/plain",
];

// --- internal ---

const BODIES: Readonly<Record<string, (value: string) => string>> = {
  // Within the quotes that the operator wrote.
  "application/json": (value) => JSON.stringify(value).slice(1, -1),
  "application/x-www-form-urlencoded": (value) => encodeURIComponent(value.toWellFormed()),
  "text/html": (value) => slackText(value).replaceAll('"', "&quot;").replaceAll("'", "&#39;"),
  "text/plain": (value) => value,
};
