/** A guest with a broker and a log that remember. */
import { fail } from "../../../../../src/base/errors.ts";
import type { LogLevel } from "../../../../../src/base/log.ts";
import type { MethodShape } from "../../../../../src/host/runtimes/runtime.ts";
import {
  makeWasmGuest,
  type WasmGuest,
  type WasmGuestOptions,
} from "../../../../../src/host/runtimes/wasm/wasm-guest.ts";
import { FETCH_METHOD, KV_METHODS, NOTIFY_METHOD } from "../../../../fixtures/method-shapes.ts";

export interface TestGuest {
  readonly guest: WasmGuest;
  /** Calls the hook and gives its output. */
  readonly run: (event?: unknown) => Promise<unknown>;
  readonly calls: { readonly method: string; readonly params: unknown }[];
  readonly lines: { readonly level: LogLevel; readonly text: string }[];
}

export const METHODS: readonly MethodShape[] = [...KV_METHODS, FETCH_METHOD, NOTIFY_METHOD];

/** Every method, but none of those is granted that need a grant. */
export const UNGRANTED = METHODS.map((method) => ({ ...method, linked: method.needs.length === 0 }));

export async function openGuest(
  code: Uint8Array,
  options: Partial<WasmGuestOptions> & {
    readonly answer?: (method: string, params: unknown) => unknown;
  } = {},
): Promise<TestGuest> {
  const calls: TestGuest["calls"] = [];
  const lines: TestGuest["lines"] = [];
  const guest = await makeWasmGuest({
    code,
    plugin: { name: "sample", version: "1.0.0" },
    config: {},
    methods: METHODS,
    callHost(method, params) {
      calls.push({ method, params });
      return options.answer?.(method, params);
    },
    log: (level, text) => void lines.push({ level, text }),
    ...options,
  });
  return { guest, calls, lines, run: (event = null) => guest.call("on_alert", event) };
}

export const denied = () =>
  fail("capability.denied", "that is not granted", {
    hint: "grant it",
    details: { capability: "notify_send" },
  });
