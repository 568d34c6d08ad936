import { describe, expect, test } from "bun:test";
import * as v from "valibot";
import { readYaml } from "../../../src/base/yaml.ts";
import { rejection } from "../../fixtures/rejection.ts";

const schema = v.strictObject({
  name: v.string(),
  events: v.optional(v.array(v.picklist(["pre_create", "post_create"]))),
  timeout: v.optional(v.strictObject({ create: v.string() })),
});

const read = (text: string) => readYaml({ text, file: "plugin.yaml", code: "manifest.invalid" }, schema);
const problem = async (text: string) =>
  ((await rejection(Promise.try(() => read(text)))) as { readonly message: string }).message;

test("a document is read as plain values", () => {
  expect(read('name: "a"   # why\nevents:\n  - pre_create\n  - post_create\n')).toEqual({
    name: "a",
    events: ["pre_create", "post_create"],
  });
  expect(read("---\nname: yes\n...\n")).toEqual({ name: "yes" });
});

describe("an error names file, line, column, key, what was found and what is wanted", () => {
  test.each([
    ["name: a\nevnts: []\n", 'plugin.yaml:2:1: evnts: is not a known key; did you mean "events"?'],
    ["events: []\n", "plugin.yaml: name: is missing"],
    ["name: 7\n", "plugin.yaml:1:1: name: found 7, wanted a text"],
    ["name: a\nevents:\n  - pre_create\n  - pre_creat\n", 'plugin.yaml:4:5: events.1: found "pre_creat"'],
    ["name: a\ntimeout:\n  create: 1\n", "plugin.yaml:3:3: timeout.create: found 1, wanted a text"],
  ])("%j", async (text, message) => {
    expect(await problem(text)).toStartWith(message);
  });
});

describe("what a manifest does not need is refused", () => {
  test.each([
    ["", "plugin.yaml: the file is empty"],
    ["name: a\n---\nname: b\n", "plugin.yaml:2:1: wanted one document"],
    ["- name\n", "plugin.yaml:1:1: wanted keys and values"],
    ["name: &a x\nevents: *a\n", "plugin.yaml:1:10: anchors and aliases are not read here"],
    ["a: &a [x,x,x]\nb: &b [*a,*a,*a]\nname: *b\n", "plugin.yaml:1:7: anchors and aliases"],
    ["name: !!js/function x\n", "plugin.yaml:1:7:"],
    ["name: a\nname: b\n", 'plugin.yaml:2:1: the key "name" is there twice'],
    ["name: [a\n", "plugin.yaml:2:1:"],
    ["name: a\n\tevents: []\n", "plugin.yaml:2:1:"],
    ["? [a]\n: b\n", "plugin.yaml:1:3: a key must be a text"],
    ["name: a\n<<: {events: []}\n", "plugin.yaml:2:1: <<: is not a known key"],
  ])("%j", async (text, message) => {
    expect(await problem(text)).toStartWith(message);
  });
});

test("what goes down for thousands of levels, or has thousands of keys, is refused before it takes long", async () => {
  const size = 8_000;
  const began = performance.now();
  for (const text of [
    `name: ${"[".repeat(size / 2)}${"]".repeat(size / 2)}`,
    `name: ${"{a: ".repeat(size / 4)}`,
    `${"- ".repeat(size / 2)}x`,
    `${"? ".repeat(size / 2)}x`,
    `${"- !!seq ".repeat(size / 8)}x`,
    `${"-\t".repeat(size / 2)}x`,
  ])
    expect(await problem(text)).toContain("too many of");
  const keys = Array.from({ length: 8_000 }, (_, index) => `k${index}: 1`).join("\n");
  expect(await problem(keys)).toContain("name: is missing");
  // It was a minute.
  expect(performance.now() - began).toBeLessThan(5_000);
  expect(read(`name: "${"[".repeat(50)} and so on - or not"`).name).toHaveLength(69);
});
