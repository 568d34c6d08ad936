/** Before the room: by way of the bundler, which reads the plugin's files. */
import { inFiles, PLACES, type Attack } from "./attack.ts";

const refused = (words: string) => ({ code: "plugin.import_refused", words });
const hook = (expression: string) => `export default { on_deploy_success() { return ${expression} } };`;

export const BUNDLING: readonly Attack[] = [
  inFiles(
    "run a macro in the bundler",
    {
      "index.ts": `import { m } from "./m.ts" with { type: "macro" };\n${hook("m()")}`,
      "m.ts": `export function m() { require("fs").writeFileSync("${PLACES.canaryFile}", "x"); return 1 }`,
    },
    { code: "plugin.bundle_failed", words: "Macros are disabled" },
  ),
  inFiles(
    "run a macro by the old attribute",
    {
      "index.ts": `import { m } from "macro:./m.ts";\n${hook("m()")}`,
      "m.ts": `export function m() { require("fs").writeFileSync("${PLACES.canaryFile}", "x"); return 1 }`,
    },
    { code: "plugin.bundle_failed", words: "Macros are disabled" },
  ),
  inFiles(
    "run a macro by the older word for attributes",
    {
      "index.ts": `import { m } from "./m.ts" assert { type: "macro" };\n${hook("m()")}`,
      "m.ts": `export function m() { require("fs").writeFileSync("${PLACES.canaryFile}", "x"); return 1 }`,
    },
    { code: "plugin.bundle_failed", words: "Macros are disabled" },
  ),
  inFiles(
    "open a database by the type of an import",
    { "index.js": `import db from "${PLACES.secretFile}" with { type: "sqlite" };\n${hook("String(db)")}` },
    refused("index.js:1"),
  ),
  inFiles(
    "load native code by the type of an import",
    {
      "index.js": `import native from "./a.txt" with { type: "napi" };\n${hook("native")}`,
      "a.txt": "only text",
    },
    { code: "ok", answer: "only text" },
  ),
  inFiles(
    "import a Node module",
    {
      "index.ts": `const a = 1;\nimport fs from "node:fs";\n${hook(`fs.readFileSync("${PLACES.secretFile}", "utf8")`)}`,
    },
    refused("index.ts:2"),
    { control: true },
  ),
  inFiles(
    "import a Node module without its prefix",
    {
      "index.js": `import { readFileSync } from "fs";\n${hook(`readFileSync("${PLACES.secretFile}", "utf8")`)}`,
    },
    refused("no files of the host"),
    { control: true },
  ),
  inFiles(
    "import a Node module under a name in capitals",
    { "index.js": `import fs from "NODE:fs";\n${hook(`fs.readFileSync("${PLACES.secretFile}", "utf8")`)}` },
    refused("allowed are relative paths"),
  ),
  inFiles(
    "import a Node module behind a package of the same name",
    {
      "index.js": `import { readFileSync } from "node:fs";\n${hook(`readFileSync("${PLACES.secretFile}", "utf8")`)}`,
      "node_modules/node:fs/index.js": "exports.readFileSync = () => 1;",
      "node_modules/fs/index.js": "exports.readFileSync = () => 1;",
    },
    refused("no files of the host"),
    { control: true },
  ),
  inFiles(
    "import bun",
    { "index.js": `import { file } from "bun";\n${hook(`file("${PLACES.secretFile}").text()`)}` },
    refused("index.js:1"),
    { control: true },
  ),
  inFiles(
    "re-export a Node module",
    { "index.js": `export * from "node:child_process";\n${hook("1")}` },
    refused("node:child_process"),
  ),
  inFiles("import a folded name", { "index.js": hook(`import("node:" + "fs")`) }, refused("node:fs")),
  inFiles(
    "import an absolute path",
    { "index.js": `import text from "${PLACES.secretFile}" with { type: "text" };\n${hook("text")}` },
    refused("allowed are relative paths"),
    { control: true },
  ),
  inFiles(
    "import out of the folder",
    { "index.js": `import x from "../../../../../../etc/passwd";\n${hook("x")}` },
    refused("outside of the plugin's folder"),
  ),
  inFiles(
    "import out of the folder through a package",
    {
      "index.js": `import x from "evil";\n${hook("x")}`,
      "node_modules/evil/package.json": `{ "main": "../../../../../../etc/passwd" }`,
    },
    refused("no such file"),
  ),
  inFiles(
    "import out of the folder through exports",
    {
      "index.js": `import x from "evil/a/../../../../etc/passwd";\n${hook("x")}`,
      "node_modules/evil/package.json": `{ "exports": { "./*": "./*" } }`,
    },
    refused("no such file"),
  ),
  inFiles(
    "import a data: URL",
    { "index.js": `import x from "data:text/javascript,export default process";\n${hook("typeof x")}` },
    refused("allowed are relative paths"),
  ),
  inFiles(
    "import an http: URL",
    { "index.js": `import x from "${PLACES.canaryUrl}/x.js";\n${hook("x")}` },
    refused("allowed are relative paths"),
  ),
  inFiles(
    "import a file: URL",
    { "index.js": `import x from "file://${PLACES.secretFile}" with { type: "text" };\n${hook("x")}` },
    refused("allowed are relative paths"),
  ),
  inFiles(
    "resolve a path of the host",
    { "index.js": hook(`require.resolve("./a.js")`), "a.js": "" },
    refused("require-resolve"),
  ),
  inFiles(
    "embed a file by type",
    {
      "index.js": `import x from "./a.js" with { type: "file" };\n${hook("x")}`,
      "a.js": "export const a = 1",
    },
    { code: "plugin.bundle_failed" },
  ),
  inFiles(
    "import a native module",
    { "index.js": `import x from "./a.node";\n${hook("x")}`, "a.node": "ELF" },
    refused("no such source file"),
  ),
  inFiles(
    "inline the bundler's environment",
    { "index.js": hook(`[process.env["${PLACES.secretEnv}"], process.env.HOME]`) },
    { code: "plugin.failed", words: "'process' is not defined" },
    { control: true },
  ),
  inFiles(
    "configure the bundler by its own files",
    {
      "index.ts": `import x from "secret";\n${hook("x")}`,
      "tsconfig.json": `{ "compilerOptions": { "baseUrl": "/", "paths": { "secret": ["${PLACES.secretFile}"] } } }`,
      "bunfig.toml": `preload = ["./preload.ts"]`,
      "preload.ts": `require("fs").writeFileSync("${PLACES.canaryFile}", "x")`,
      "package.json": `{ "imports": { "#s": "${PLACES.secretFile}" }, "browser": { "secret": "${PLACES.secretFile}" } }`,
      ".env": `BUN_OPTIONS=--preload=./preload.ts`,
    },
    refused("no package secret"),
  ),
  inFiles(
    "use a tsconfig's package imports",
    {
      "index.js": `import x from "#s";\n${hook("x")}`,
      "package.json": `{ "imports": { "#s": "${PLACES.secretFile}" } }`,
    },
    refused("allowed are relative paths"),
  ),
  inFiles(
    "load JSX with a pragma",
    {
      "index.tsx": "",
      "index.ts": `/** @jsxImportSource node:fs */\nimport "./view.tsx";\n${hook("1")}`,
      "view.tsx": `/** @jsxImportSource node:fs */\nexport default <a/>;`,
    },
    { code: "plugin.import_refused" },
  ),
  inFiles(
    "fold constants to a text of terabytes",
    {
      "index.ts": `enum E { a0 = "${"x".repeat(1000)}", ${Array.from({ length: 30 }, (_, i) => `a${i + 1} = a${i} + a${i}`).join(", ")} }\n${hook("E.a30.length")}`,
    },
    { code: "plugin.bundle_failed", words: "of memory" },
  ),
  inFiles(
    "nest deeper than a parser can",
    { "index.js": `export default ${"[".repeat(100_000)}${"]".repeat(100_000)};` },
    { code: "plugin.bundle_failed" },
  ),
  inFiles(
    "point the source map at a secret",
    {
      "index.js": `${hook(`(() => { throw new Error("x") })()`)}\n//# sourceMappingURL=file://${PLACES.secretFile}`,
    },
    { code: "plugin.failed", words: "x" },
  ),
  inFiles(
    "hide escape codes in file names",
    {
      "index.js": `import x from "./\u001b[2Jred.js";\n${hook("x()")}`,
      "\u001b[2Jred.js": `export default () => { throw new Error("x") };`,
    },
    { code: "plugin.failed", words: "x" },
  ),
  inFiles(
    "take the SDK's name",
    {
      "index.js": `import { definePlugin } from "@voxeltron/sdk";\nexport default definePlugin({ on_deploy_success() { return "the real one" } });`,
      "node_modules/@voxeltron/sdk/index.js": `export const definePlugin = () => ({ on_deploy_success: () => "a false one" });`,
    },
    { code: "ok", answer: "the real one" },
  ),
];
