import { describe, expect, test } from "bun:test";
import { mapStack, parseStackMap } from "../../../../../src/host/runtimes/js/stack-map.ts";

describe("parseStackMap", () => {
  test("finds the author's place of a place in the bundle", async () => {
    const source = 'const a = 1;\n\nexport function boom(): never {\n  throw new Error("x");\n}\n';
    const built = await Bun.build({
      entrypoints: ["virtual:e"],
      sourcemap: "external",
      plugins: [
        {
          name: "virtual",
          setup(build) {
            build.onResolve({ filter: /.*/ }, () => ({ path: "src/boom.ts", namespace: "v" }));
            build.onLoad({ filter: /.*/, namespace: "v" }, () => ({ contents: source, loader: "ts" }));
          },
        },
      ],
    });
    const [code, text] = [await built.outputs[0]!.text(), await built.outputs[1]!.text()];
    const line = code.split("\n").findIndex((found) => found.includes("throw new Error"));
    const map = parseStackMap(text);
    expect(map?.lookup(line + 1, code.split("\n")[line]!.indexOf("throw") + 1)).toMatchObject({
      line: 4,
      column: 3,
    });
    expect(map?.lookup(10_000, 1)).toBeUndefined();
  });

  test.each([[""], ["null"], ["[]"], ['{"sources": 5, "mappings": ""}'], ['{"mappings": ";;"}']])(
    "%p is no map",
    (text) => {
      expect(parseStackMap(text)).toBeUndefined();
    },
  );

  test.each([
    ["one letter", "A"],
    ["no base64", "!!!!"],
    ["a number without end", "AAAAgggggggggggggggggggg"],
    ["a place far outside", "AACA,AAAA,zzzzzzzz"],
    ["lines without end", ";".repeat(100_000)],
  ])("mappings that are nonsense give nothing or a place, and end: %s", (_what, mappings) => {
    const map = parseStackMap(JSON.stringify({ sources: ["a.ts"], mappings }));
    expect(() => map?.lookup(1, 1)).not.toThrow();
  });
});

describe("mapStack", () => {
  const map = parseStackMap(JSON.stringify({ sources: ["src/\u001b[2Ja.ts"], mappings: "AAEIA" }));

  test("keeps the plugin's frames, mapped, and drops the rest", () => {
    const stack =
      "    at hook (plugin.js:1:1)\n    at forEach (native)\n    at apply (prelude.js:1:900)\n    at <anonymous> (plugin.js:1:3)\n";
    expect(mapStack(stack, map)).toBe("hook (src/[2Ja.ts:3:5)\nsrc/[2Ja.ts:3:5");
  });

  test("without a map the places are those in the bundle", () => {
    expect(mapStack("    at f (plugin.js:7:9)\n", undefined)).toBe("f (plugin.js:7:9)");
  });

  test("shows ten frames of a stack that never ends", () => {
    expect(mapStack("    at f (plugin.js:7:9)\n".repeat(5000), undefined).split("\n").length).toBe(10);
  });
});
