/** The examples in the SDK's docstrings compile against the SDK under the strictest flags, and run. */
import { describe, expect, test } from "bun:test";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { sampleEvent } from "../../../src/engine/events/samples.ts";
import type { Container, EventOf, HookName, PluginContext, VoxeltronPlugin } from "../../../src/sdk/index.ts";
import { documentedPlugin } from "../../fixtures/documented-plugin.ts";
import { tempDir } from "../../harness.ts";

const root = join(import.meta.dir, "../../..");

interface Example {
  readonly name: string;
  readonly code: string;
}

/** Every `@example` of the SDK's files: to the next tag, the next empty line before a tag, or the comment's end. */
function readExamples(): Example[] {
  return [...new Bun.Glob("src/sdk/*.ts").scanSync(root)].toSorted().flatMap((file) => {
    const text = readFileSync(join(root, file), "utf8");
    return [...text.matchAll(/@example([\s\S]*?)\*\//g)].map((match, index) => ({
      name: `${file}, example ${index + 1}`,
      code: (match[1] ?? "").replaceAll(/^\s*\* ?/gm, "").trim(),
    }));
  });
}

/** An example is a whole plugin, or what stands in the body of a hook. */
function moduleOf({ code }: Example): string {
  if (code.includes("const plugin: VoxeltronPlugin")) {
    const exported = code.includes("export default") ? "" : "\nexport default plugin;";
    return `${code.includes("import ") ? "" : IMPORTS}${code}${exported}`;
  }
  return `${IMPORTS}const plugin: VoxeltronPlugin = {\n  async on_deploy_success(event: DeployEvent, ctx: PluginContext) {\n${code}\n  },\n};\nexport default plugin;`;
}

const IMPORTS = 'import type { DeployEvent, PluginContext, VoxeltronPlugin } from "@voxeltron/sdk";\n';

const examples = readExamples();

describe("the SDK's examples", () => {
  test("are there", () => {
    expect(examples.length).toBeGreaterThanOrEqual(4);
  });

  test("compile", async () => {
    await using dir = tempDir();
    mkdirSync(join(dir.path, "examples"));
    for (const [index, example] of examples.entries())
      writeFileSync(join(dir.path, `examples/${index}.ts`), moduleOf(example));
    writeFileSync(
      join(dir.path, "examples/documented.ts"),
      documentedPlugin("https://hooks.slack.com/x")["index.ts"] ?? "",
    );
    const { compilerOptions } = (await import("../../../tsconfig.json")) as { compilerOptions: object };
    const options = { ...compilerOptions, types: [], noUnusedLocals: false, noUnusedParameters: false };
    const paths = { "@voxeltron/sdk": [join(root, "src/sdk/index.ts")] };
    writeFileSync(
      join(dir.path, "tsconfig.json"),
      JSON.stringify({ compilerOptions: { ...options, paths }, include: ["examples"] }),
    );
    const tsc = Bun.spawnSync([process.execPath, "x", "--no-install", "tsc", "-p", dir.path], { cwd: root });
    expect(tsc.stdout.toString()).toBe("");
    expect(tsc.exitCode).toBe(0);
  });

  test.each(examples)("$name runs", async (example) => {
    await using dir = tempDir();
    const file = join(dir.path, "example.ts");
    writeFileSync(file, moduleOf(example));
    const { default: plugin } = (await import(file)) as { default: VoxeltronPlugin };
    const said: string[] = [];
    for (const hook of Object.keys(plugin) as HookName[]) {
      const handler = plugin[hook] as (event: EventOf[HookName], ctx: PluginContext) => unknown;
      await handler(
        sampleEvent(hook, { id: "019b76da-a800-7000-8000-000000000001", at: "2026-01-01T00:00:00.000Z" }),
        contextThatNotes(said),
      );
    }
    expect(said.length).toBeGreaterThan(0);
  });
});

const CONTAINER: Container = {
  id: "0".repeat(64),
  name: "vxp.example.cache",
  image: "redis:7",
  origin: "plugin",
  plugin: "example",
  state: "exited",
  status: "Exited (0) 3 minutes ago",
  createdAt: "2026-01-01T00:00:00.000Z",
  ports: [],
};

/** A context that does nothing but write down what it was asked. */
function contextThatNotes(said: string[]): PluginContext {
  const note = (name: string) => (): void => void said.push(name);
  const noteAsync =
    <T>(name: string, answer: T) =>
    async (): Promise<T> => {
      said.push(name);
      return answer;
    };
  return {
    plugin: { name: "example", version: "1.0.0" },
    log: { debug: note("debug"), info: note("info"), warn: note("warn"), error: note("error") },
    config: { channel: "ops" },
    kv: {
      get: noteAsync("get", undefined),
      set: noteAsync("set", undefined),
      delete: noteAsync("delete", true),
      list: noteAsync("list", []),
    },
    fs: {
      read: noteAsync("read", new Uint8Array()),
      readText: noteAsync("readText", ""),
      list: noteAsync("list", []),
      stat: noteAsync("stat", { type: "file", size: 0, modified: "2026-01-01T00:00:00.000Z" }),
      write: noteAsync("write", undefined),
      append: noteAsync("append", undefined),
      remove: noteAsync("remove", undefined),
      mkdir: noteAsync("mkdir", undefined),
      rename: noteAsync("rename", undefined),
    },
    net: {
      connect: noteAsync("connect", {
        read: noteAsync("read", null),
        write: noteAsync("write", undefined),
        close: noteAsync("close", undefined),
        async *[Symbol.asyncIterator]() {},
      }),
    },
    notify: { send: noteAsync("send", undefined) },
    docker: {
      list: noteAsync("list", [CONTAINER]),
      inspect: () => Promise.reject(new Error("no example looks at one")),
      stats: () => Promise.reject(new Error("no example measures one")),
      async *events() {
        said.push("events");
        const { id, name, image, origin, createdAt: at } = CONTAINER;
        yield { id, name, image, origin, at, action: "die", exitCode: 3 };
      },
      create: noteAsync("create", { id: CONTAINER.id, name: CONTAINER.name }),
      start: noteAsync("start", undefined),
      stop: noteAsync("stop", undefined),
      restart: noteAsync("restart", undefined),
      remove: noteAsync("remove", undefined),
    },
    secrets: { get: noteAsync("get", "secret"), list: noteAsync("list", ["SECRET"]) },
    logs: {
      query: noteAsync("query", []),
      async *follow() {
        said.push("follow");
        yield { at: "2026-01-01T00:00:00.000Z", level: "info", stream: "stdout", text: "x", version: 1 };
      },
    },
    metrics: {
      query: noteAsync("query", {
        service: "web",
        metric: "memory_bytes",
        unit: "bytes",
        from: "2026-01-01T00:00:00.000Z",
        to: "2026-01-01T01:00:00.000Z",
        stepMs: 60_000,
        points: [["2026-01-01T00:00:00.000Z", 2 ** 20]],
      }),
    },
  };
}
