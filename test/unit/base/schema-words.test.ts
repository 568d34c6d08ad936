/** What a schema wanted is said in words that need no knowledge of the schema. */
import { expect, test } from "bun:test";
import * as v from "valibot";
import { wantedBy } from "../../../src/base/schema-words.ts";

test.each([
  [v.array(v.string()), "x", "a list"],
  [v.strictObject({}), 1, "an object"],
  [v.string(), 1, "a text"],
  [v.number(), "1", "a number"],
  [v.boolean(), "yes", "true or false"],
  [v.picklist(["text", "json"]), "xml", `"text" or "json"`],
  [v.union([v.string(), v.number()]), null, "a text or a number"],
  [v.pipe(v.string(), v.maxLength(2)), "abc", "at most 2 characters"],
  [v.pipe(v.array(v.number()), v.minLength(1)), [], "at least 1 of them"],
  [v.pipe(v.number(), v.maxValue(7)), 8, "at most 7"],
  [v.string("a colour"), 1, "a colour"],
])("case %#", (schema, value, words) => {
  const { issues = [] } = v.safeParse(schema, value);
  expect(issues.map((issue) => wantedBy(issue, "an object"))).toEqual([words]);
});
