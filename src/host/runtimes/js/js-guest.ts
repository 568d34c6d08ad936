/** A JavaScript guest as the desk beside it sees it: ways in, each of which runs the plugin's code. Its ways out are operations. */
import type { StopReason } from "../wire/messages.ts";
import type { Operation } from "./host-operations.ts";

export interface JsGuest {
  /** Evaluates the plugin's module; the prelude answers with the operation `loaded`. */
  load(code: string): void;
  /** Runs a hook; the prelude answers with the operation `answer`. The text is the JSON-RPC request. */
  hook(text: string): void;
  /** Hands over the daemon's answer to a call. `bytes` is not empty where there are tickets of bytes in it. */
  answer(text: string, bytes: string): void;
  /** A timer's time has come. */
  timer(id: number): void;
}

export interface JsGuestOptions {
  /** What the prelude is told, as JSON. */
  readonly setup: string;
  readonly operations: Readonly<Record<string, Operation>>;
  /** Milliseconds from the start of an entry until it must have returned; asked at each entry. */
  readonly budget: () => number;
  /** How long an entry took. */
  readonly spent: (ms: number) => void;
  readonly onStopped: (reason: StopReason, detail: string) => void;
}
