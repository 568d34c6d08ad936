/**
 * The wire between the daemon and a Worker: JSON-RPC 2.0 in strings. Daemon → guest: `load`, `hook`, `stop`, and answers to `host`.
 * Guest → daemon: `host` and `cancel`, `log`, `stopped`, `left`, and answers. For both sides.
 */
import type { WireError } from "../../../base/errors.ts";
import type { MethodShape } from "../runtime.ts";

/** The first thing a Worker gets, not as a string: it can't be one. */
export interface WorkerStart {
  readonly module: WebAssembly.Module;
  readonly control: Int32Array;
}

/** Cells of `control`, which both threads see. */
export const CONTROL = {
  /** Not 0: the guest must stop at its next check. */
  stop: 0,
  /** Goes up at each entry into the guest and at each return: odd while the guest runs. */
  entries: 1,
  /** Characters of messages that the Worker has read so far; wraps around. */
  read: 2,
  cells: 3,
} as const;

export interface LoadParams {
  readonly kind: "js";
  readonly code: string;
  readonly sourceMap?: string | undefined;
  readonly config: Readonly<Record<string, unknown>>;
  readonly methods: readonly MethodShape[];
  readonly plugin: { readonly name: string; readonly version: string };
  readonly entryMs: number;
}

export interface HookParams {
  readonly name: string;
  readonly event: unknown;
  readonly deadlineMs: number;
}

/** Why a Worker gave up its guest. */
export type StopReason = "deadline" | "memory" | "told" | "stack" | "crash";

/** How an answer of the guest says that it failed. */
export interface GuestFailure {
  readonly kind: "threw" | "no_hook" | "no_default" | "refused";
  readonly thrown: {
    readonly name: string;
    readonly message: string;
    readonly stack: string;
    readonly code: string;
  };
}

/** Asks a Worker to end its own thread: what it holds by then is of no interest any more. */
export const STOP = notice("stop", {});

/** The Worker's answer: its guest will not run again. */
export const LEFT = notice("left", {});

export function request(id: number, method: string, params: unknown): string {
  return JSON.stringify({ jsonrpc: "2.0", id, method, params });
}

export function result(id: number, value: unknown): string {
  return JSON.stringify({ jsonrpc: "2.0", id, result: value });
}

export function failure(id: number, error: WireError): string {
  return JSON.stringify({ jsonrpc: "2.0", id, error: { code: -32000, message: error.message, data: error } });
}

export function notice(method: string, params: unknown): string {
  return JSON.stringify({ jsonrpc: "2.0", method, params });
}
