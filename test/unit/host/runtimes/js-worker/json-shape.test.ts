import { expect, test } from "bun:test";
import { measureJson } from "../../../../../src/host/runtimes/js-worker/json-shape.ts";

test.each([
  ["1", { values: 0, depth: 0 }],
  ["[]", { values: 1, depth: 1 }],
  ["[1,2,3]", { values: 3, depth: 1 }],
  ['{"a":{"b":[1]}}', { values: 3, depth: 3 }],
  ['"[[[,,,{{{"', { values: 0, depth: 0 }],
  [JSON.stringify(['"[[,', "\\", ",["]), { values: 3, depth: 1 }],
  ['["unclosed', { values: 1, depth: 1 }],
])("%s", (text, shape) => {
  expect(measureJson(text)).toMatchObject(shape);
});

test("counts a bomb of brackets quickly", () => {
  expect(measureJson("[".repeat(1_000_000))).toEqual({ values: 1_000_000, depth: 1_000_000 });
});

test("does not take long for a string of backslashes", () => {
  expect(measureJson(JSON.stringify("\\".repeat(1_000_000)))).toEqual({ values: 0, depth: 0 });
});
