/** What the audit log names of a call is where it goes, never what it carries. Made from the matrix' rows. */
import { expect, test } from "bun:test";
import * as v from "valibot";
import { makeCatalogue } from "../../../../src/host/capabilities/catalogue.ts";
import { recordPowers } from "../../../matrix/powers.ts";
import { ROWS } from "../../../matrix/rows.ts";

const SECRET = "hunter2";

/** Parameters that carry something; every other names a place. */
const CONTENT = new Set(
  "message text title body data value values headers env environment command cmd labels search secret password".split(
    " ",
  ),
);

for (const { name, params, target, anyOf } of makeCatalogue(recordPowers().powers))
  if (target !== undefined)
    test(`${name}: what it carries is not in the log`, () => {
      const loaded = v.safeParse(params, withSecrets(ROWS[name]?.params));
      expect([name, loaded.success]).toEqual([name, true]);
      const text = target(loaded.output as never);
      expect(text).not.toContain(SECRET);
      expect(text.length).toBeLessThan(10_000);
      expect(anyOf).not.toEqual([]);
    });

test("a URL is named without credentials, path and query", () => {
  const fetch = makeCatalogue(recordPowers().powers).find(({ name }) => name === "net.fetch");
  const url = `https://user:${SECRET}@api.example.com/${SECRET}?token=${SECRET}#${SECRET}`;
  const named = fetch?.target?.({ url, method: "GET" } as never);
  expect(named).not.toContain(SECRET);
});

// --- internal ---

/** The same with a secret in each text that is content, and in the URLs. */
function withSecrets(value: unknown, isContent = false): unknown {
  if (typeof value === "string") {
    if (value.startsWith("https://")) return `${value}${SECRET}?q=${SECRET}`;
    return isContent ? SECRET : value;
  }
  if (Array.isArray(value)) return value.map((each) => withSecrets(each, isContent));
  if (typeof value !== "object" || value === null || value instanceof Uint8Array) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, each]) => [
      key,
      key === "$b64" ? each : withSecrets(each, isContent || CONTENT.has(key)),
    ]),
  );
}
