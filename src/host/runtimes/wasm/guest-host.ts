/**
 * All that one instance of a module can reach: Extism's functions, the broker's methods and WASI, with the state that they
 * share. Made anew for each instance by wasm-instance.ts.
 */
import { LIMITS } from "../../../base/limits.ts";
import { assemblyScriptOffers } from "./assembly-script.ts";
import { brokerOffers } from "./extism-broker.ts";
import { extismOffers, type CallState } from "./extism-functions.ts";
import type { ExtismMemory } from "./extism-memory.ts";
import { methodOffers } from "./host-methods.ts";
import type { Offers } from "./link.ts";
import { makeWasi } from "./wasi.ts";
import type { WasmGuestOptions } from "./guest-options.ts";

export interface GuestHost {
  readonly offers: Offers;
  /** Gives it the module's memory, where it exports one. */
  connect(memory: WebAssembly.Memory | undefined): void;
  begin(input: string): void;
  /** What the call left. Frees all that was given in it. */
  end(): CallResult;
}

export interface CallResult {
  /** Empty where it is larger than a message may be. */
  readonly output: string;
  readonly outputBytes: number;
  /** What `error_set` was given. */
  readonly error: string | undefined;
}

export interface GuestHostOptions extends Omit<WasmGuestOptions, "code"> {
  readonly memory: ExtismMemory;
}

export function makeGuestHost(options: GuestHostOptions): GuestHost {
  const { plugin, methods, callHost, memory } = options;
  const call: CallState = { input: 0n, output: undefined, error: undefined };
  const wasi = makeWasi(plugin.name, options.log);
  let own: WebAssembly.Memory | undefined;

  return {
    offers: {
      "extism:host/env": {
        ...extismOffers({ ...options, call }),
        ...brokerOffers({ memory, methods, callHost }),
      },
      "extism:host/user": methodOffers(methods, memory, callHost),
      wasi_snapshot_preview1: wasi.offers,
      env: assemblyScriptOffers(() => own),
    },
    connect(found) {
      own = found;
      if (found !== undefined) wasi.connect(found);
    },
    begin(input) {
      memory.clear();
      call.input = memory.putText(input);
      call.output = undefined;
      call.error = undefined;
    },
    end() {
      wasi.flush();
      const outputBytes = call.output?.length ?? 0;
      const result = {
        output: outputBytes > LIMITS.messageBytes ? "" : decoder.decode(call.output),
        outputBytes,
        error: call.error === undefined ? undefined : decoder.decode(call.error.subarray(0, ERROR_BYTES)),
      };
      memory.clear();
      call.input = 0n;
      return result;
    },
  };
}

// --- internal ---

const decoder = new TextDecoder();

/** The daemon cuts it too. */
const ERROR_BYTES = 4 * LIMITS.errorTextChars;
