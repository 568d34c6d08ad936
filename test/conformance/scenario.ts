/** A scenario of the conformance suite, as data: what happens, and what must be seen. Pure types; run.ts runs them, scenarios/ has them. */
import type { ErrorCode } from "../../src/base/error-codes.ts";
import type { WireError } from "../../src/base/errors.ts";
import type { Capability, HookName } from "../../src/sdk/index.ts";

export interface Scenario {
  /** A sentence about a plugin. */
  readonly name: string;
  readonly door?: DoorPlan;
  readonly steps: readonly Step[];
  /** All steps are handed over at once instead of one after the other. */
  readonly together?: true;
  /** In a room of its own, opened with this door: what was granted is known when the code is loaded. */
  readonly fresh?: true;
  /** What comes through the door, in order. */
  readonly calls?: readonly DoorCall[];
  /** The plugin's log, in order. */
  readonly lines?: readonly LogLine[];
  /** How many guests were started in the course of it, beside the one that was there. */
  readonly newGuests?: number;
  readonly otherwise?: readonly Otherwise[];
}

export interface Step {
  readonly program: string;
  /** More of the event. */
  readonly payload?: unknown;
  /** `on_alert` where nothing is said. */
  readonly hook?: HookName;
  readonly deadlineMs?: number;
  /** Done when the guest has been heard of: by a call that came through the door, or a line of its log. */
  readonly interrupt?: "cancel" | "stop";
  readonly expect: Expectation;
}

export type Expectation =
  | { readonly answer: unknown }
  /** A text of so many characters. */
  | { readonly characters: number }
  | { readonly error: ExpectedError };

export interface ExpectedError {
  readonly code: ErrorCode;
  readonly message?: RegExp;
  /** Some of them. */
  readonly details?: Readonly<Record<string, unknown>>;
}

/** Some rooms do it in another way, or not at all. */
export interface Otherwise {
  readonly rooms: readonly RoomTag[];
  /** A sentence that says why. */
  readonly why: string;
  /** What is seen there; undefined: the scenario is not run. */
  readonly expect?: Partial<Pick<Scenario, "calls" | "lines" | "newGuests">> & {
    /** Instead of each step's own. */
    readonly steps?: readonly Expectation[];
  };
}

/** One room, all with one kind of guest, or one language. */
export type RoomTag = "js" | "js-worker" | "js-process" | "wasm" | Language;

export type Language = "typescript" | "assemblyscript" | "c" | "rust" | "go";

/** What the broker is, and what it answers. Where nothing is said: all is granted, and the real methods run on an empty store. */
export interface DoorPlan {
  readonly grants?: Partial<Record<Capability, readonly string[] | null>>;
  /** What its manifest asks for; the operator may leave out all of it. */
  readonly optional?: readonly Capability[];
  /** Methods that answer something else. */
  readonly answers?: Readonly<Record<string, CannedAnswer>>;
}

export type CannedAnswer =
  | { readonly result: unknown }
  | { readonly error: WireError }
  /** Something broke in the daemon. */
  | { readonly bug: string }
  /** No answer while the guest lives. */
  | "never";

export interface DoorCall {
  readonly method: string;
  readonly params: unknown;
}

export interface LogLine {
  readonly level: string;
  readonly text: unknown;
  readonly fields?: unknown;
}
