/** How a confined process ended, told from what the daemon did, what the kernel says and what the child said last. */
import { readFailure } from "./failure.ts";
import type { Excess } from "./memory-watch.ts";

export type ProcessEnd =
  | { readonly kind: "status"; readonly status: number }
  | { readonly kind: "signal"; readonly signal: string }
  | Excess
  /** It ended before it was sealed: nothing of a plugin was read. */
  | { readonly kind: "unconfined"; readonly step: string; readonly reason: string };

export interface Ending {
  readonly status: number | null;
  readonly signal: string | null;
  /** Found by the watch, or the limit on memory at which the kernel ended it. */
  readonly excess: Excess | undefined;
  /** The daemon wanted its end. */
  readonly killed: boolean;
  readonly stderr: string;
}

export function howItEnded({ status, signal, excess, killed, stderr }: Ending): ProcessEnd {
  if (excess !== undefined) return excess;
  const end: ProcessEnd =
    signal === null ? { kind: "status", status: status ?? 0 } : { kind: "signal", signal };
  const failure = killed && signal === "SIGKILL" ? undefined : readFailure(stderr);
  if (failure === undefined) return end;
  const reason =
    failure.reason === "" ? `the process ended with ${signal ?? `status ${status}`}` : failure.reason;
  return { kind: "unconfined", step: failure.step, reason };
}
