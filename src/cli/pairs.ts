/** `KEY=VALUE` as it is typed after --env and `env set`. */
import { fail } from "../base/errors.ts";
import { quote } from "../base/text.ts";

/** Throws `usage.invalid`. The value is never repeated in an error: it may be a secret. */
export function parsePairs(texts: readonly string[]): Record<string, string> {
  const pairs: Record<string, string> = {};
  for (const text of texts) {
    const split = text.indexOf("=");
    const key = split === -1 ? text : text.slice(0, split);
    checkKey(key);
    if (split === -1)
      throw fail("usage.invalid", `${key} has no value, wanted ${key}=VALUE`, {
        hint: `for an empty value: ${key}=`,
      });
    if (Object.hasOwn(pairs, key)) throw fail("usage.invalid", `${key} is set twice`);
    pairs[key] = text.slice(split + 1);
  }
  return pairs;
}

/** Throws `usage.invalid` for what no program could read as a variable. */
export function checkKey(key: string): void {
  if (/^[A-Za-z_][A-Za-z0-9_]*$/.test(key)) return;
  throw fail(
    "usage.invalid",
    `${quote(key)} is no name for a variable, wanted letters, digits and _ (no digit first)`,
  );
}
