import { expect, test } from "bun:test";
import { measureJson } from "../../../../../src/host/runtimes/wire/json-shape.ts";

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

test.each([
  ["one index", '{"999":1}', 125],
  ["with space before the colon", '{"999" \t\n:1}', 125],
  ["written as an escape", '{"9\\u00399":1}', 125],
  ["the largest of several", '{"80":1,"999":1,"160":1}', 127],
  ["in an object of its own each", '[{"999":1},{"999":1}]', 252],
  ["in an object within", '{"999":{"999":1},"8":1}', 251],
  ["an index too large to have places", '{"1000":1}', 1],
  ["a text", '["999","999"]', 2],
  ["no index", '{"9a":1,"a9":1,"\\u00e9":1,"":1}', 4],
])("counts the places below an index: %s", (_, text, values) => {
  expect(measureJson(text).values).toBe(values);
});

test("counts a bomb of brackets quickly", () => {
  expect(measureJson("[".repeat(1_000_000))).toEqual({ values: 1_000_000, depth: 1_000_000 });
});

test("does not take long for a string of backslashes", () => {
  expect(measureJson(JSON.stringify("\\".repeat(1_000_000)))).toEqual({ values: 31_250, depth: 0 });
});

test("weighs quotes in a string: four million of them take longer to be read than a message may", () => {
  const text = JSON.stringify('"'.repeat(4_000_000));
  expect(measureJson(text).values).toBe(125_000);
  // A file of JSON in a text is nothing of that kind.
  expect(measureJson(JSON.stringify('{"key":"value"},\n'.repeat(100_000))).values).toBe(15_625);
});

test("stops counting where that is enough to know", () => {
  const most = { values: 100, depth: 10 };
  expect(measureJson("[".repeat(1e6), most)).toEqual({ values: 11, depth: 11 });
  expect(measureJson(`[${"1,".repeat(1e6)}1]`, most)).toEqual({ values: 101, depth: 1 });
  expect(measureJson(`[${"1,".repeat(99)}1]`, most)).toEqual({ values: 100, depth: 1 });
});
