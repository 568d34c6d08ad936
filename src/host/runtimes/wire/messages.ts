/**
 * The wire between the daemon and a guest's room: JSON-RPC 2.0 as text. Daemon → guest: `load`, `hook`, and answers to `host`.
 * Guest → daemon: `ready`, `host` and `cancel`, `log`, `stopped`, and answers. For both sides of every room.
 */
import type { WireError } from "../../../base/errors.ts";
import { LIMITS } from "../../../base/limits.ts";
import type { GuestCode, MethodShape } from "../runtime.ts";

export interface LoadParams {
  readonly kind: GuestCode["kind"];
  /** Where the wire carries text alone; a process gets the code as bytes, before this (see process/). */
  readonly code?: string;
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

/** Why a guest had to be given up. "threads" is found from outside: no guest says it of itself. */
export type StopReason = "deadline" | "memory" | "threads" | "told" | "stack" | "crash";

/** What a guest may say in one message: its number and its method stand around that, and the whole is one frame. */
export const BODY_BYTES_MAX: number = LIMITS.messageBytes - 1024;

/** The parameters of a log line, text and fields both at their limit and all of it escaped. A guest of ours leaves out longer ones. */
export const LOG_CHARS_MAX: number = 16 * LIMITS.logTextChars;

/** Whether a text is one message at most. Only one that is near the limit is worth counting: a character has three bytes at most. */
export function fitsMessage(text: string, bytesMax: number = LIMITS.messageBytes): boolean {
  return text.length * 3 <= bytesMax || (text.length <= bytesMax && Buffer.byteLength(text) <= bytesMax);
}

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

/** A guest's answer that says so, without what stands around it. The prelude writes the same by itself (js/prelude/plugin.ts). */
export function failureBody(data: GuestFailure): string {
  return `"error":${JSON.stringify({ code: -32000, message: "", data })}`;
}

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
