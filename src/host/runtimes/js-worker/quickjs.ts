/**
 * Starts QuickJS from the instrumented module, in memory that can't grow beyond its cap, under a watch that ends it at any
 * moment. Once stopped it stays stopped: no JavaScript and no native of it runs on, and it is never used again. Runs in the
 * Worker; called by guest.ts.
 */
import bellard from "@jitl/quickjs-wasmfile-release-sync";
import { newQuickJSWASMModuleFromVariant, newVariant, type QuickJSContext } from "quickjs-emscripten-core";
import { LIMITS } from "../../../base/limits.ts";
import type { StopReason } from "../wire/messages.ts";

export interface Watch {
  /** Asked about every 0.2 ms while the guest runs: a reason ends it. */
  readonly check: () => StopReason | undefined;
}

export interface Engine {
  readonly context: QuickJSContext;
  /** Why it was stopped, if it was. What throws out of the engine then is only the way in which it ended. */
  readonly stopped: () => StopReason | undefined;
}

export async function startQuickJS(module: WebAssembly.Module, watch: Watch): Promise<Engine> {
  const memory = new WebAssembly.Memory({ initial: PAGES_AT_START, maximum: LIMITS.guestMemoryPages });
  let stopped: StopReason | undefined;
  const throwIfStopped = () => {
    if (stopped !== undefined) throw new Error("the guest was stopped");
  };
  // A Proxy on purpose: a call of it goes through the engine's C++, which looks whether the Worker is to end. A plain
  // function that has become hot does not, and then worker.terminate() goes unseen for seconds.
  const tick = new Proxy(() => {
    stopped ??= watch.check();
    throwIfStopped();
  }, {});
  /** quickjs-emscripten turns what is thrown below a host function into a guest's error: so it is thrown again here. */
  const guarded = (imported: Imported) =>
    function call(...args: unknown[]): unknown {
      const answer = imported(...args);
      // Only the memory's growth answers so: the guest is at its cap, and its engine can't be relied on after that.
      if (answer === false) stopped ??= "memory";
      throwIfStopped();
      return answer;
    };
  const options = {
    instantiateWasm(imports: WebAssembly.Imports, done: (instance: WebAssembly.Instance) => void) {
      const guardedImports = Object.fromEntries(
        Object.entries(imports["a"] ?? {}).map(([name, value]) => [
          name,
          typeof value === "function" ? guarded(value as Imported) : value,
        ]),
      );
      const instance = new WebAssembly.Instance(module, { ...imports, a: guardedImports, vx: { tick } });
      done(instance);
      return instance.exports;
    },
    print() {},
    printErr() {},
  };
  const engine = await newQuickJSWASMModuleFromVariant(
    newVariant(bellard, { wasmMemory: memory, emscriptenModule: options }),
  );
  const runtime = engine.newRuntime({ maxStackSizeBytes: LIMITS.guestStackBytes });
  return { context: runtime.newContext(), stopped: () => stopped };
}

// --- internal ---

type Imported = (...args: unknown[]) => unknown;

/** What the module itself asks for; its pages cost nothing until they are touched. */
const PAGES_AT_START = 256;
