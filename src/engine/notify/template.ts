/**
 * The operator's templates for a channel: text with `{{placeholders}}`, no logic. What is put in is escaped by the caller's
 * rule and never read as a template itself, so that a plugin's text can't ask for more. Pure. Checked by template-schema.ts
 * before anything starts, rendered by wording.ts and payload.ts.
 */
import { LIMITS } from "../../base/limits.ts";
import { nameAdvice, printable } from "../../base/text.ts";

export const PLACEHOLDERS = ["title", "text", "severity", "from", "channel", "host", "at", "id"] as const;

export type Placeholder = (typeof PLACEHOLDERS)[number];

export type Fields = Readonly<Record<Placeholder, string>>;

/** A template that passed `templateProblem`, in one pass. */
export function render(template: string, fields: Fields, escape: (value: string) => string): string {
  return template.replaceAll(PATTERN, (whole, name: string) =>
    isPlaceholder(name.trim()) ? escape(fields[name.trim() as Placeholder]) : whole,
  );
}

/** What is wrong with it, completing "wanted …"; undefined where nothing is. */
export function templateProblem(template: string): string | undefined {
  if (template.length > LIMITS.notifyTemplateChars)
    return `a template of at most ${LIMITS.notifyTemplateChars} characters`;
  const names = [...template.matchAll(PATTERN)].map((match) => (match[1] ?? "").trim());
  const unknown = names.find((name) => !isPlaceholder(name));
  if (unknown !== undefined)
    return `placeholders that are known, and ${printable(`{{${unknown}}}`, 40)} is none: ${nameAdvice(unknown, PLACEHOLDERS)}`;
  if (names.length > LIMITS.notifyPlaceholders) return `at most ${LIMITS.notifyPlaceholders} placeholders`;
  return template.replaceAll(PATTERN, "").includes("{{") ? "a }} after each {{" : undefined;
}

// --- internal ---

const PATTERN = /\{\{([^{}]*)\}\}/g;

function isPlaceholder(name: string): name is Placeholder {
  return (PLACEHOLDERS as readonly string[]).includes(name);
}
