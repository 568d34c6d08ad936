/**
 * One instance of a module, brought to life by Extism's SDK in the foreground with our functions in place of its own, which
 * know no bounds. It is good until something in it throws. Called by wasm-guest.ts.
 */
import { createPlugin } from "@extism/extism";
import { GuestRefusal, type GuestThrown } from "./guest-errors.ts";
import { makeGuestHost, type CallResult, type GuestHostOptions } from "./guest-host.ts";
import { linkModule, type HostFunction, type Links } from "./link.ts";
import type { ModuleShape } from "./module-shape.ts";
import { thrownBy } from "./thrown.ts";

export interface WasmInstance {
  /** Throws a GuestThrown; the instance must not be used again then. */
  run(hook: string, input: string): CallResult & { readonly code: number };
}

export interface CompiledModule {
  readonly module: WebAssembly.Module;
  readonly shape: ModuleShape;
}

/** Throws a GuestRefusal. */
export async function startInstance(
  { module, shape }: CompiledModule,
  options: GuestHostOptions,
): Promise<WasmInstance> {
  refuseProgram(shape);
  const host = makeGuestHost(options);
  const links = linkModule(shape, host.offers, options.plugin.name);
  const exports = await instantiate(module, links);
  const memory = exports["memory"] instanceof WebAssembly.Memory ? exports["memory"] : undefined;
  if (memory === undefined && Object.hasOwn(links, WASI_SPACE))
    throw new GuestRefusal('the module uses WASI and exports no memory called "memory"');
  host.connect(memory);
  initialize(exports, (error) => thrownBy(error, memory, host.end().error));
  host.end();

  return {
    run(hook, input) {
      host.begin(input);
      try {
        const code = (exports[hook] as () => number | undefined)() ?? 0;
        return { ...host.end(), code };
      } catch (error) {
        throw thrownBy(error, memory, host.end().error);
      }
    },
  };
}

// --- internal ---

const WASI_SPACE = "wasi_snapshot_preview1";

/** What a language's runtime wants to be called first: the first of these that is there. */
const INITIALIZERS = ["_initialize", "__wasm_call_ctors"] as const;

/** Its hooks would run in a runtime that nothing has started: `_start` does that, and ends the module when `main` returns. */
function refuseProgram({ imports, exports }: ModuleShape): void {
  const has = (wanted: string): boolean => exports.some(({ name }) => name === wanted);
  const usesWasi = imports.some(({ module }) => module === WASI_SPACE);
  if (!usesWasi || !has("_start") || INITIALIZERS.some(has)) return;
  throw new GuestRefusal(
    "it is a program (it exports _start and no _initialize), and a reactor is wanted",
    "build it with: go build -buildmode=c-shared, clang -mexec-model=reactor",
  );
}

async function instantiate(module: WebAssembly.Module, links: Links): Promise<WebAssembly.Exports> {
  try {
    const functions = Object.fromEntries(
      Object.entries(links).map(([space, named]) => [space, mapValues(named, behindContext)]),
    );
    const plugin = await createPlugin(
      { wasm: [{ module }] },
      { functions, logger: NO_LOGGER, useWasi: false },
    );
    return (await plugin.getInstance()).exports;
  } catch (error) {
    throw new GuestRefusal(`the module can't be started: ${thrownBy(error).message}`);
  }
}

/** The SDK's functions get its context first; ours have no use for it. */
function behindContext(
  run: HostFunction,
): (_context: unknown, ...args: unknown[]) => ReturnType<HostFunction> {
  return (_context, ...args) => run(...(args as never[]));
}

function mapValues<T, U>(record: Readonly<Record<string, T>>, change: (value: T) => U): Record<string, U> {
  return Object.fromEntries(Object.entries(record).map(([key, value]) => [key, change(value)]));
}

/** Nothing of the SDK's own writes any more; should it, it must not be to the standard output, where frames may go. */
const NO_LOGGER = new Proxy(console, { get: () => () => {} });

/** `thrown` says why it ended, and lets go of what the module left. */
function initialize(exports: WebAssembly.Exports, thrown: (error: unknown) => GuestThrown): void {
  const name = INITIALIZERS.find((each) => typeof exports[each] === "function");
  if (name === undefined) return;
  try {
    (exports[name] as () => void)();
  } catch (error) {
    throw new GuestRefusal(`the module's ${name} failed: ${thrown(error).message}`);
  }
}
