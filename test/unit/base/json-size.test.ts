import { expect, test } from "bun:test";
import { jsonSize } from "../../../src/base/json-size.ts";

test.each([
  [{ items: [{ at: "2026-01-01T00:00:00.000Z", text: "hello", n: 12_345 }, null, true], done: false }],
  [{ $b64: "A".repeat(1_000_000) }],
  [["", [], {}]],
  ["text"],
  [null],
])("the size of %j is about that of its text", (value) => {
  const exact = JSON.stringify(value).length;
  expect(jsonSize(value)).toBeWithin(exact * 0.8 - 1, exact * 1.3 + 20);
});
