/**
 * The one class for expected failures, and the one place where it is turned into plain data and back.
 * An Error loses its fields when it crosses a Worker or a socket, so only `WireError` crosses. Assertions are for bugs;
 * anything that is not a VoxError is shown to nobody but the log and becomes `internal.bug`.
 */
import { ERROR_CODES, KINDS, type ErrorCode, type Kind } from "./error-codes.ts";

export type { ErrorCode, Kind } from "./error-codes.ts";

/** Plain facts about a failure: JSON only, never a secret. */
export type Details = Readonly<Record<string, unknown>>;

const brand = Symbol.for("voxeltron.error");

export class VoxError extends Error {
  override readonly name = "VoxError";
  readonly [brand] = true;
  readonly code: ErrorCode;
  readonly kind: Kind;
  readonly details: Details;
  readonly hint: string | undefined;

  constructor(code: ErrorCode, message: string, options: FailOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    const row = ERROR_CODES[code];
    this.code = code;
    this.kind = row.kind;
    this.details = options.details ?? {};
    this.hint = options.hint ?? row.hint;
  }
}

export interface FailOptions {
  readonly details?: Details;
  readonly hint?: string | undefined;
  readonly cause?: unknown;
}

/** What crosses a socket, a Worker or the terminal in --json. */
export interface WireError {
  readonly code: string;
  readonly message: string;
  readonly hint?: string;
  readonly details?: Details;
}

/**
 * Makes (does not throw) an expected failure. The message is one clause in lower case: what was wanted, what was found.
 *
 * @example throw fail("plugin.not_found", `no plugin is called ${quote(name)}`);
 */
export function fail(code: ErrorCode, message: string, options?: FailOptions): VoxError {
  return new VoxError(code, message, options);
}

/** Tests the brand, not the class: a bundle boundary makes two classes of one. */
export function isVoxError(value: unknown): value is VoxError {
  return typeof value === "object" && value !== null && brand in value;
}

/** Plain data for any thrown value. A bug keeps its text to itself: it may hold anything. */
export function toWire(error: unknown): WireError {
  if (!isVoxError(error)) return { code: "internal.bug", message: "something went wrong inside voxeltron" };
  return {
    code: error.code,
    message: error.message,
    ...(error.hint === undefined ? {} : { hint: error.hint }),
    ...(Object.keys(error.details).length === 0 ? {} : { details: error.details }),
  };
}

/** The failure that a peer of ours sent. Never used on what a plugin says: a plugin can't forge our codes. */
export function fromWire(wire: WireError): VoxError {
  const code = isErrorCode(wire.code) ? wire.code : "internal.bug";
  return fail(code, wire.message, { hint: wire.hint, details: wire.details ?? {} });
}

/** Whether the same may work a little later. */
export function canHelpToRetry(error: unknown): boolean {
  return isVoxError(error) && KINDS[error.kind].retryable;
}

export function exitStatus(error: unknown): number {
  return KINDS[isVoxError(error) ? error.kind : "bug"].exit;
}

/** The stack of any thrown value, for the log alone. */
export function stackOf(error: unknown): string | undefined {
  return error instanceof Error ? error.stack : undefined;
}

/** The code that the system or the runtime gave an error, such as `ENOENT`; undefined where it has none. */
export function systemCode(error: unknown): string | undefined {
  const code = (error as { readonly code?: unknown } | null | undefined)?.code;
  return typeof code === "string" ? code : undefined;
}

/** Why a file or folder that somebody named can't be read, as one clause. */
export function unreadableBecause(error: unknown): string {
  return UNREADABLE[systemCode(error) ?? ""] ?? messageOf(error);
}

/** The text of any thrown value, for logs and for `details`. */
export function messageOf(error: unknown): string {
  if (error instanceof Error) return error.message;
  return typeof error === "string" ? error : "unknown error";
}

// --- internal ---

const UNREADABLE: Readonly<Record<string, string>> = {
  ENOENT: "it does not exist",
  ENOTDIR: "it does not exist",
  EACCES: "you may not read it",
  EISDIR: "it is a folder",
};

function isErrorCode(code: string): code is ErrorCode {
  return Object.hasOwn(ERROR_CODES, code);
}
