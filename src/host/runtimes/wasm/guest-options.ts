/** What the process gives to the room: the plugin, and the two ways in which it reaches the daemon. Types only. */
import type { LogLevel } from "../../../base/log.ts";
import type { MethodShape } from "../runtime.ts";

export interface WasmGuestOptions {
  readonly code: Uint8Array;
  readonly plugin: { readonly name: string; readonly version: string };
  readonly config: Readonly<Record<string, unknown>>;
  readonly methods: readonly MethodShape[];
  /**
   * Asks the daemon's broker and waits for the answer. Bytes are Uint8Arrays, both ways. Throws a VoxError (`fromWire`) for
   * an answer that is an error; anything else that it throws ends the hook.
   */
  readonly callHost: (method: string, params: unknown) => unknown;
  readonly log: (level: LogLevel, text: string) => void;
}
