/** Files by the runtime's own modules and by everything else in it that opens one. */
import { ANSWER, ELSEWHERE, SECRET, trace, type NativeAttack } from "../attack.ts";
import { bun, js, node, SAYS_NO, yes } from "../runtime.ts";

const made = trace(/new .*appeared/);
const changed = trace(/canary.*was/);

export const RUNTIME_FILES: readonly NativeAttack[] = [
  js("read a file by node:fs", SECRET, async (at) => (await node("fs")).readFileSync(at.secretFile, "utf8")),
  js("read a file by the promises of node:fs", SECRET, async (at) =>
    (await node("fs")).promises.readFile(at.secretFile, "utf8"),
  ),
  js("read a file by a stream", SECRET, async (at) => {
    const stream = (await node("fs")).createReadStream(at.secretFile, "utf8");
    for await (const chunk of stream) return String(chunk);
    return "";
  }),
  js("read a file by Bun.file", SECRET, async (at) => (await bun()).file(at.secretFile).text()),
  js("read a file by Bun.mmap", SECRET, async (at) =>
    Buffer.from((await bun()).mmap(at.secretFile)).toString("latin1"),
  ),
  js("read a file by fetch", SECRET, async (at) => {
    const { fetch } = await bun();
    return (await fetch(`file://${at.secretFile}`)).text();
  }),
  js(
    "read a file by import",
    SECRET,
    async (at) => {
      const module = (await import(at.secretFile, { with: { type: "text" } })) as {
        readonly default: string;
      };
      return module.default;
    },
    { refusals: ["ERR_MODULE_NOT_FOUND"] },
  ),
  js("read a file by require", SECRET, async (at) => {
    const { createRequire } = await node("module");
    const { readFileSync } = createRequire(at.folder + "/x.js")("fs") as typeof import("node:fs");
    return readFileSync(at.secretFile, "utf8");
  }),
  js("read a file by process.getBuiltinModule", SECRET, async (at) => {
    const process = (await node("process")).default;
    return process.getBuiltinModule("fs").readFileSync(at.secretFile, "utf8");
  }),
  js(
    "read a file by the bundler",
    SECRET,
    async (at) => {
      const { outputs } = await (await bun()).build({ entrypoints: [at.secretFile] });
      return (await Promise.all(outputs.map((output) => output.text()))).join("\n");
    },
    { refusals: ["Error"] },
  ),
  js("list a folder", ANSWER, async (at) => (await node("fs")).readdirSync(at.folder), ELSEWHERE),
  js(
    "list a folder by Bun.Glob",
    ANSWER,
    async (at) => {
      const { Glob } = await bun();
      return [...new Glob("*").scanSync(at.folder)];
    },
    ELSEWHERE,
  ),
  js(
    "ask whether a file is there",
    ANSWER,
    async (at) => yes((await node("fs")).existsSync(at.canaryFile)),
    SAYS_NO,
  ),
  js(
    "ask by Bun.file whether a file is there",
    ANSWER,
    async (at) => yes(await (await bun()).file(at.canaryFile).exists()),
    SAYS_NO,
  ),
  js(
    "look for a program",
    ANSWER,
    async () => yes((await bun()).which("sh", { PATH: "/bin" }) !== null),
    SAYS_NO,
  ),
  js("watch a folder", ANSWER, async (at) => {
    (await node("fs")).watch(at.folder).close();
    return "watched";
  }),
  js("write a file by node:fs", made, async (at) => (await node("fs")).writeFileSync(at.newFile, "x")),
  js("write a file by Bun.write", made, async (at) => await (await bun()).write(at.newFile, "x")),
  js("append to a file", changed, async (at) => (await node("fs")).appendFileSync(at.canaryFile, "x")),
  js("make a folder", made, async (at) => (await node("fs")).mkdirSync(at.newFile)),
  js("make a temporary folder", trace(/newX.*appeared/), async (at) =>
    (await node("fs")).mkdtempSync(`${at.newFile}X`),
  ),
  js("remove a file", trace(/canary.*gone/), async (at) => (await node("fs")).rmSync(at.canaryFile), {
    // What the runtime makes of EPERM.
    refusals: ["EFAULT"],
  }),
  js("change a file's rights", changed, async (at) => (await node("fs")).chmodSync(at.canaryFile, 0o777)),
  js(
    "open a database",
    made,
    async (at) => {
      const { Database } = (await import(["bun", "sqlite"].join(":"))) as typeof import("bun:sqlite");
      new Database(at.newFile).run("create table t (x)");
    },
    { refusals: ["SQLITE_CANTOPEN"] },
  ),
  js(
    "attach a database to one in memory",
    made,
    async (at) => {
      const { Database } = (await import(["bun", "sqlite"].join(":"))) as typeof import("bun:sqlite");
      const database = new Database(":memory:");
      database.run(`attach '${at.newFile}' as other`);
      database.run("create table other.t (x)");
    },
    { refusals: ["SQLITE_CANTOPEN"] },
  ),
  js("write down the heap", trace(/new.*appeared/), async (at) =>
    (await node("v8")).writeHeapSnapshot(at.newFile),
  ),
];
