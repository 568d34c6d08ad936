/**
 * Checks environment variables before they are stored or passed on. Pure. Called by deploy-input.ts, and by the services and their
 * secrets.
 */
import { fail } from "../../base/errors.ts";
import { LIMITS } from "../../base/limits.ts";
import { formatBytes, quote } from "../../base/text.ts";

/** The same values; the errors never show one, because it may be a secret. */
export function parseEnv(env: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  for (const [key, value] of Object.entries(env)) {
    parseEnvKey(key);
    checkEnvValue(key, value, "service.invalid");
  }
  return env;
}

/** What the kernel takes as a variable's value. */
export function checkEnvValue(key: string, value: string, code: "service.invalid" | "secret.invalid"): void {
  if (value.includes("\0")) throw fail(code, `the value of ${key} holds a NUL character`);
  const bytes = Buffer.byteLength(value);
  if (bytes > LIMITS.envValueBytes)
    throw fail(
      code,
      `the value of ${key} has ${formatBytes(bytes)}, and ${formatBytes(LIMITS.envValueBytes)} is the most`,
    );
}

export function parseEnvKey(key: string): string {
  if (/^[A-Za-z_]\w{0,254}$/.test(key)) return key;
  throw fail(
    "service.invalid",
    `a variable's name has letters, digits and underscores and starts with no digit, and got ${quote(key)}`,
  );
}
