/**
 * The guest engine: QuickJS with fuel checks, and the prelude in the same file (made by scripts/guest-wasm). Compiled once, at the
 * first room; each Worker gets the compiled module. Composed by the daemon.
 */
import file from "./quickjs.generated.wasm" with { type: "file" };

export function loadGuestModule(): Promise<WebAssembly.Module> {
  compiled ??= compile();
  return compiled;
}

// --- internal ---

let compiled: Promise<WebAssembly.Module> | undefined;

async function compile(): Promise<WebAssembly.Module> {
  return WebAssembly.compile(await Bun.file(file).arrayBuffer());
}
