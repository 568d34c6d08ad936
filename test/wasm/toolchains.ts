/** The compilers that this machine has for the test plugins. Looks, and installs nothing: test-setup does. */
import { existsSync } from "node:fs";
import { dirname, join } from "node:path";

/** AssemblyScript and WebAssembly's text format come with the dependencies; these don't. */
export const TOOLCHAINS = {
  "clang and lld": findClang,
  "rustc with a wasm32 standard library": findRust,
  "Go 1.24 or newer": findGo,
} as const;

export type ToolchainName = keyof typeof TOOLCHAINS;

export interface Rust {
  readonly cargo: string;
  readonly environment: Readonly<Record<string, string>>;
}

export function findClang(): string | undefined {
  return Bun.which("wasm-ld") === null ? undefined : (Bun.which("clang") ?? undefined);
}

/** The first compiler that has what it takes: one that was installed by hand often lacks the library that Debian's has. */
export function findRust(): Rust | undefined {
  const rustc = [Bun.which("rustc"), "/usr/bin/rustc"].find((path) => path !== null && hasWasm(path));
  if (rustc === undefined || rustc === null) return undefined;
  const cargo = [join(dirname(rustc), "cargo"), Bun.which("cargo")].find(
    (path) => path !== null && existsSync(path),
  );
  if (cargo === undefined || cargo === null) return undefined;
  return {
    cargo,
    environment: {
      RUSTC: rustc,
      ...(Bun.which("wasm-ld") === null ? {} : { CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER: "wasm-ld" }),
      // Before 1.68 the registry's small index was behind a switch, and the other one is a repository of a gigabyte.
      ...(minorVersion(cargo) < 68 ? { CARGO_UNSTABLE_SPARSE_REGISTRY: "true", RUSTC_BOOTSTRAP: "1" } : {}),
    },
  };
}

export function findGo(): string | undefined {
  const go = [Bun.which("go"), "/usr/local/go/bin/go"].find((path) => path !== null && existsSync(path));
  if (go === undefined || go === null) return undefined;
  // Asked beside go.mod: there a Go that is too old brings a newer one, where it can.
  const version = /^go1\.(\d+)/.exec(textOf([go, "env", "GOVERSION"], join(import.meta.dir, "go")));
  return version !== null && Number(version[1]) >= 24 ? go : undefined;
}

/** Any version: what Debian has is enough for plain programs. */
export function findAnyGo(): string | undefined {
  return Bun.which("go") ?? ["/usr/local/go/bin/go", "/usr/lib/go/bin/go"].find((path) => existsSync(path));
}

// --- internal ---

function hasWasm(rustc: string): boolean {
  if (!existsSync(rustc)) return false;
  const folder = textOf([rustc, "--print", "target-libdir", "--target", "wasm32-unknown-unknown"]);
  return existsSync(folder) && [...new Bun.Glob("libstd-*.rlib").scanSync(folder)].length > 0;
}

function minorVersion(cargo: string): number {
  return Number(/^cargo 1\.(\d+)/.exec(textOf([cargo, "--version"]))?.[1] ?? 0);
}

function textOf(command: string[], cwd: string = import.meta.dir): string {
  const result = Bun.spawnSync(command, { cwd, stdout: "pipe", stderr: "ignore" });
  return result.exitCode === 0 ? result.stdout.toString().trim() : "";
}
