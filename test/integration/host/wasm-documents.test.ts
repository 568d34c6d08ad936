/** The examples of docs/wasm.md, as they stand there: each is built with the command that it has and does what it says. */
import { afterAll, describe, expect, test } from "bun:test";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { fail } from "../../../src/base/errors.ts";
import type { MethodShape } from "../../../src/host/runtimes/runtime.ts";
import { makeWasmGuest } from "../../../src/host/runtimes/wasm/wasm-guest.ts";
import { rejection } from "../../fixtures/rejection.ts";
import { lacks } from "../../harness.ts";
import { findClang, findGo, findRust } from "../../wasm/toolchains.ts";
import { KV_METHODS, NOTIFY_METHOD } from "../../fixtures/method-shapes.ts";

const ROOT = join(import.meta.dir, "../../..");
const PAGE = await Bun.file(join(ROOT, "docs/wasm.md")).text();
const BUILD_MS = 300_000;
/** Where the test plugin's dependencies are, once that was built. */
const RUST_FOLDER = join(ROOT, "dist/wasm/conformance-rust.scratch");
const CRATE = "conformance-documented";

const folders: string[] = [];
afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

interface Example {
  readonly toolchain: string;
  readonly file: string;
  readonly fence: string;
  /** The command of the page, with the compilers where this machine has them; undefined where it has none. */
  readonly command: (page: string, folder: string) => Command | undefined;
  readonly made?: string;
}

interface Command {
  readonly words: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
}

const EXAMPLES: Readonly<Record<string, Example>> = {
  AssemblyScript: {
    toolchain: "AssemblyScript",
    file: "plugin.ts",
    fence: "ts",
    command(page, folder) {
      symlinkSync(join(ROOT, "node_modules"), join(folder, "node_modules"));
      return {
        words: [
          process.execPath,
          join(ROOT, "node_modules/assemblyscript/bin/asc.js"),
          ...page.split(" ").slice(2),
        ],
      };
    },
  },
  C: {
    toolchain: "clang and lld",
    file: "plugin.c",
    fence: "c",
    command(page) {
      const clang = findClang();
      return clang === undefined ? undefined : { words: [clang, ...page.split(" ").slice(1)] };
    },
  },
  // With the versions of the test plugin, which is the oldest compiler that there may be.
  Rust: {
    toolchain: "rustc with a wasm32 standard library",
    file: "src/lib.rs",
    fence: "rust",
    command(page, folder) {
      const rust = findRust();
      if (rust === undefined) return undefined;
      for (const name of ["Cargo.toml", "Cargo.lock"]) {
        const text = readFileSync(join(ROOT, "test/wasm/rust", name), "utf8");
        writeFileSync(join(folder, name), text.replace('name = "conformance"', `name = "${CRATE}"`));
      }
      return {
        words: [rust.cargo, ...page.split(" ").slice(1), "--locked", "--quiet"],
        environment: { ...rust.environment, CARGO_TARGET_DIR: RUST_FOLDER },
      };
    },
    made: join(RUST_FOLDER, `wasm32-unknown-unknown/release/${CRATE.replaceAll("-", "_")}.wasm`),
  },
  Go: {
    toolchain: "Go 1.24 or newer",
    file: "main.go",
    fence: "go",
    command(page, folder) {
      const go = findGo();
      if (go === undefined) return undefined;
      for (const name of ["go.mod", "go.sum"]) cpSync(join(ROOT, "test/wasm/go", name), join(folder, name));
      const words = page.split(" ");
      const isSetting = (word: string): boolean => /^[A-Z]+=/.test(word);
      return {
        words: [go, ...words.filter((word) => !isSetting(word)).slice(1)],
        environment: Object.fromEntries(
          words.filter(isSetting).map((word) => word.split("=") as [string, string]),
        ),
      };
    },
  },
};

describe("the example in", () => {
  for (const [language, example] of Object.entries(EXAMPLES))
    test(
      language,
      async () => {
        const code = await build(language, example);
        if (code === undefined) return lacks(example.toolchain);
        await countsAndTells(code);
        await failsWithTheBrokersWords(code);
      },
      BUILD_MS,
    );
});

// --- internal ---

/** The section's own program and the first command after it. */
async function build(language: string, { file, fence, command, made = "plugin.wasm" }: Example) {
  const section = PAGE.split(`\n### ${language}\n`)[1]?.split("\n### ")[0] ?? "";
  const source = new RegExp(`\`\`\`${fence}\n([^]*?)\`\`\``).exec(section)?.[1];
  const line = /```sh\n(.*)\n/.exec(section)?.[1];
  if (source === undefined || line === undefined) throw new Error(`the page has no example in ${language}`);
  const folder = mkdtempSync(join(tmpdir(), "example-"));
  folders.push(folder);
  mkdirSync(dirname(join(folder, file)), { recursive: true });
  writeFileSync(join(folder, file), source);
  const found = command(line, folder);
  if (found === undefined) return undefined;
  const result = Bun.spawnSync([...found.words], {
    cwd: folder,
    env: { ...process.env, ...found.environment },
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
  });
  expect([result.exitCode, `${result.stdout.toString()}${result.stderr.toString()}`]).toEqual([
    0,
    expect.any(String),
  ]);
  return new Uint8Array(await Bun.file(resolve(folder, made)).arrayBuffer());
}

const METHODS: readonly MethodShape[] = [...KV_METHODS, NOTIFY_METHOD];

async function open(code: Uint8Array, send: (params: unknown) => void) {
  const store = new Map<string, unknown>();
  return makeWasmGuest({
    code,
    plugin: { name: "deploy-counter", version: "1.0.0" },
    config: { channel: "ops" },
    methods: METHODS,
    callHost(method, params) {
      const { key, value } = params as { readonly key: string; readonly value: unknown };
      if (method === "kv.get") return store.get(key);
      if (method === "kv.set") return void store.set(key, value);
      return send(params);
    },
    log() {},
  });
}

const EVENT = {
  id: "1",
  hook: "on_deploy_success",
  at: "2026-01-01T00:00:00.000Z",
  service: "web",
  version: 3,
};

async function countsAndTells(code: Uint8Array): Promise<void> {
  const sent: unknown[] = [];
  const guest = await open(code, (params) => void sent.push(params));
  expect(guest.handlers).toEqual(["on_deploy_success"]);
  expect(await guest.call("on_deploy_success", EVENT)).toEqual({ count: 1 });
  expect(await guest.call("on_deploy_success", EVENT)).toEqual({ count: 2 });
  expect(sent).toEqual([
    { channel: "ops", message: "web is live: deploy 1" },
    { channel: "ops", message: "web is live: deploy 2" },
  ]);
}

async function failsWithTheBrokersWords(code: Uint8Array): Promise<void> {
  const guest = await open(code, () => {
    throw fail("notify.unknown_channel", "no channel is called ops");
  });
  const error = await rejection(guest.call("on_deploy_success", EVENT));
  expect((error as Error).message).toContain("no channel is called ops");
}
