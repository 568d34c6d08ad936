/** How each test module is made of its sources. Pure but for the look at the toolchains; modules.ts runs it. */
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { findClang, findGo, findRust, type ToolchainName } from "./toolchains.ts";

export interface Recipe {
  /** What must be there; undefined: nothing but the dependencies. */
  readonly toolchain: ToolchainName | undefined;
  /** Folder of the sources, beside this file. */
  readonly sources: string;
  /** Undefined where the toolchain is not there. */
  readonly plan: (outFile: string, scratch: string) => Plan | undefined;
}

export interface Plan {
  /** Brings what the sources need from a registry. Where that can't be reached the module can't be had, and that is no failure. */
  readonly fetch?: Command;
  readonly build: Command;
  /** Where the module is, if not in `outFile`. */
  readonly made?: string;
}

export interface Command {
  readonly words: readonly string[];
  readonly cwd: string;
  readonly environment?: Readonly<Record<string, string>>;
}

const HERE = import.meta.dir;
const ROOT = join(HERE, "../..");

export const RECIPES = {
  "conformance-assemblyscript": assemblyScript("conformance"),
  "conformance-c": { toolchain: "clang and lld", sources: "c", plan: planC },
  "conformance-rust": { toolchain: "rustc with a wasm32 standard library", sources: "rust", plan: planRust },
  "conformance-go": { toolchain: "Go 1.24 or newer", sources: "go", plan: planGo },
  behaviours: assemblyScript("behaviours"),
  counter: assemblyScript("counter"),
  watcher: assemblyScript("watcher"),
  "table-bomb": wat("table-bomb"),
  echo: wat("echo"),
} as const satisfies Record<string, Recipe>;

export type ModuleName = keyof typeof RECIPES;

// --- internal ---

function assemblyScript(name: string): Recipe {
  const compiler = fileURLToPath(import.meta.resolve("assemblyscript/bin/asc.js"));
  return {
    toolchain: undefined,
    sources: "assemblyscript",
    plan: (outFile) => ({
      build: {
        words: [
          process.execPath,
          compiler,
          `test/wasm/assemblyscript/${name}.ts`,
          "-O3",
          "--outFile",
          outFile,
          "--use",
          "abort=test/wasm/assemblyscript/host/end",
        ],
        cwd: ROOT,
      },
    }),
  };
}

function wat(name: string): Recipe {
  return {
    toolchain: undefined,
    sources: "wat",
    plan: (outFile) => ({
      build: {
        words: [
          process.execPath,
          "run",
          join(HERE, "assemble.ts"),
          join(HERE, "wat", `${name}.wat`),
          outFile,
        ],
        cwd: ROOT,
      },
    }),
  };
}

function planC(outFile: string): Plan | undefined {
  const clang = findClang();
  if (clang === undefined) return undefined;
  const target = ["--target=wasm32", "-mbulk-memory", "-nostdlib", "-ffreestanding", "-O2"];
  const warnings = ["-Wall", "-Wextra", "-Werror", "-Wno-unused-parameter", "-Wno-infinite-recursion"];
  // The stack first: what overflows it then falls off the memory's beginning instead of into the data.
  const linking = ["-Wl,--no-entry", "-Wl,--stack-first", "-Wl,-z,stack-size=131072", "-Wl,--strip-all"];
  return {
    build: {
      words: [clang, ...target, ...warnings, ...linking, "-o", outFile, "conformance.c"],
      cwd: join(HERE, "c"),
    },
  };
}

function planRust(_outFile: string, scratch: string): Plan | undefined {
  const rust = findRust();
  if (rust === undefined) return undefined;
  const cwd = join(HERE, "rust");
  const environment = { ...rust.environment, CARGO_TARGET_DIR: scratch };
  const options = ["--locked", "--quiet", "--target", "wasm32-unknown-unknown"];
  return {
    fetch: { words: [rust.cargo, "fetch", ...options], cwd, environment },
    build: { words: [rust.cargo, "build", "--release", ...options], cwd, environment },
    made: join(scratch, "wasm32-unknown-unknown/release/conformance.wasm"),
  };
}

function planGo(outFile: string): Plan | undefined {
  const go = findGo();
  if (go === undefined) return undefined;
  const cwd = join(HERE, "go");
  const flags = ["-trimpath", "-buildvcs=false", "-ldflags=-s -w", "-buildmode=c-shared"];
  return {
    fetch: { words: [go, "mod", "download"], cwd },
    build: {
      words: [go, "build", ...flags, "-o", outFile, "."],
      cwd,
      environment: { GOOS: "wasip1", GOARCH: "wasm" },
    },
  };
}
