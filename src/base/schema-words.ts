/** What a schema wanted, in words for people: valibot's own are those of JavaScript's types. Pure. Called by document.ts and the broker. */
import type { BaseIssue } from "valibot";
import { printable } from "./text.ts";

/**
 * `object`: how the reader calls a set of keys with values.
 *
 * @example wantedBy(issue, "a table"); // a list · a table · "text" or "json"
 */
export function wantedBy(issue: BaseIssue<unknown>, object: string): string {
  if (!issue.message.startsWith("Invalid ")) return printable(issue.message);
  const expected = issue.expected ?? "something else";
  const [, sign, bound] = /^([<>])=(\d+)$/.exec(expected) ?? [];
  if (bound !== undefined) return `at ${sign === "<" ? "most" : "least"} ${bound}${unitOf(issue)}`;
  const parts = expected.replaceAll(/^\(|\)$/g, "").split(" | ");
  return printable(
    [...new Set(parts.map((part) => (part === "Object" ? object : (WORDS[part] ?? part))))].join(" or "),
  );
}

// --- internal ---

function unitOf({ type, input }: BaseIssue<unknown>): string {
  if (!type.endsWith("_length")) return "";
  return typeof input === "string" ? " characters" : " of them";
}

const WORDS: Readonly<Record<string, string>> = {
  Array: "a list",
  string: "a text",
  number: "a number",
  boolean: "true or false",
};
