import { describe, expect, test } from "bun:test";
import { packageTargets } from "../../../../src/host/bundle/package-exports.ts";
import { resolveImport, type SourceFiles } from "../../../../src/host/bundle/resolve-import.ts";

const files: SourceFiles = new Map(
  Object.entries({
    "index.ts": "",
    "lib/a.ts": "",
    "lib/index.ts": "",
    "lib/data.json": "",
    "lib/both.js": "",
    "lib/both.ts": "",
    "node_modules/plain/index.js": "",
    "node_modules/main/package.json": '{"main": "lib/m"}',
    "node_modules/main/lib/m.js": "",
    "node_modules/main/other.js": "",
    "node_modules/esm/package.json": '{"main": "c.js", "module": "e.mjs"}',
    "node_modules/esm/c.js": "",
    "node_modules/esm/e.mjs": "",
    "node_modules/@s/p/package.json":
      '{"exports": {".": {"node": "./n.js", "import": "./i.js"}, "./deep/*": "./src/*.js"}}',
    "node_modules/@s/p/i.js": "",
    "node_modules/@s/p/n.js": "",
    "node_modules/@s/p/src/x.js": "",
    "node_modules/plain/node_modules/inner/index.js": "",
    "node_modules/broken/package.json": "{",
    "node_modules/broken/index.js": "",
    "node_modules/buffer/index.js": "",
  }).map(([path, text]) => [path, new TextEncoder().encode(text)]),
);

const path = (importer: string, specifier: string, kind = "import-statement") => {
  const found = resolveImport(files, importer, specifier, kind);
  if ("builtin" in found) return `builtin ${found.builtin}`;
  return "path" in found ? found.path : "sdk" in found ? "the sdk" : `refused: ${found.refused}`;
};

describe("resolveImport", () => {
  test.each([
    ["index.ts", "./lib/a.ts", "lib/a.ts"],
    ["index.ts", "./lib/a", "lib/a.ts"],
    ["index.ts", "./lib/a.js", "lib/a.ts"],
    ["index.ts", "./lib", "lib/index.ts"],
    ["index.ts", "./lib/", "lib/index.ts"],
    ["lib/a.ts", ".", "lib/index.ts"],
    ["lib/a.ts", "..", "index.ts"],
    ["lib/a.ts", "../index", "index.ts"],
    ["index.ts", "./lib/both.js", "lib/both.js"],
    ["index.ts", "./lib/data.json", "lib/data.json"],
    ["index.ts", "@voxeltron/sdk", "the sdk"],
    ["index.ts", "plain", "node_modules/plain/index.js"],
    ["index.ts", "main", "node_modules/main/lib/m.js"],
    ["index.ts", "main/other", "node_modules/main/other.js"],
    ["index.ts", "esm", "node_modules/esm/e.mjs"],
    ["index.ts", "@s/p", "node_modules/@s/p/i.js"],
    ["index.ts", "@s/p/deep/x", "node_modules/@s/p/src/x.js"],
    ["node_modules/plain/index.js", "inner", "node_modules/plain/node_modules/inner/index.js"],
    ["index.ts", "broken", "node_modules/broken/index.js"],
    ["index.ts", "buffer", "node_modules/buffer/index.js"],
    ["index.ts", "buffer/", "node_modules/buffer/index.js"],
    ["index.ts", "main/", "node_modules/main/lib/m.js"],
    ["index.ts", "node:buffer", "builtin node:buffer"],
    ["index.ts", "crypto", "builtin node:crypto"],
    ["node_modules/plain/index.js", "path/posix", "builtin node:path/posix"],
  ])("%s imports %s", (importer, specifier, expected) => {
    expect(path(importer, specifier)).toBe(expected);
  });

  test.each([
    ["node:fs", "no files of the host"],
    ["bun:ffi", "native code"],
    ["fs", "no files of the host"],
    ["fs/promises", "no files of the host"],
    ["bun", "nothing of Bun's own"],
    ["path/unheard-of", "of Node's modules"],
    ["lodash", "no package lodash"],
    ["../up", "outside of the plugin's folder"],
    ["./lib/../../up", "outside of the plugin's folder"],
    ["/etc/passwd", "allowed are"],
    ["file:///etc/passwd", "allowed are"],
    ["https://a.b/c.js", "allowed are"],
    ["data:text/javascript,1", "allowed are"],
    ["#internal", "allowed are"],
    ["", "allowed are"],
    ["@s", "allowed are"],
    ["@s/p/n.js", "does not export it"],
    ["@s/p/deep/../../../../index", "no such file"],
    ["./nope", "no such source file"],
  ])("refuses %p", (specifier, words) => {
    expect(path("index.ts", specifier)).toContain(words);
    expect(path("index.ts", specifier)).toStartWith("refused: ");
  });

  test.each([["require-resolve"], ["url-token"], ["import-rule"], ["something-new"]])(
    "refuses the kind %s",
    (kind) => {
      expect(path("index.ts", "./lib/a.ts", kind)).toStartWith(`refused: ${kind}`);
    },
  );
});

describe("packageTargets", () => {
  test.each([
    [{}, ".", ["./index.js"]],
    [undefined, ".", ["./index.js"]],
    [{ exports: "./a.js" }, ".", ["./a.js"]],
    [{ exports: "./a.js" }, "./b", undefined],
    [{ exports: { import: { types: "./t.d.ts", default: "./a.js" } } }, ".", ["./a.js"]],
    [{ exports: [{ node: "./n.js" }, "./a.js"] }, ".", ["./a.js"]],
    [{ exports: { node: "./n.js" } }, ".", undefined],
    [{ exports: { "./*": "../out/*" } }, "./x", undefined],
    [{ exports: { "./a/*": null, "./*": "./b/*.js" } }, "./a/x", undefined],
    [{ exports: { "./*.js": "./src/*.ts" } }, "./q.js", ["./src/q.ts"]],
    [{ exports: "../../etc/passwd" }, ".", undefined],
    [{ browser: "./b.js", main: "./m.js" }, ".", ["./b.js", "./m.js", "./index.js"]],
  ])("%j %s", (manifest, subpath, expected) => {
    expect(packageTargets(manifest, subpath)).toEqual(expected as string[]);
  });
});
