/**
 * Waits until a process is no more and all that it sent before its end was read: both come on their own ways, in any order. One
 * that closes its socket and lives on is killed. Called by process-link.ts.
 */
import type { Clock } from "../../../base/clock.ts";
import { LIMITS } from "../../../base/limits.ts";
import type { ConfinedProcess, ProcessEnd } from "../../../platform/confine/confined-process.ts";

/** How it ended by itself, or that it closed its socket and had to be killed. */
export type SeenEnd = ProcessEnd | { readonly kind: "closed" };

export async function watchEnd(
  clock: Clock,
  child: Pick<ConfinedProcess, "ended" | "kill">,
  closed: Promise<void>,
): Promise<SeenEnd> {
  const first = await Promise.race([closed.then(() => "closed" as const), child.ended]);
  if (first !== "closed") {
    await orAfter(clock, closed);
    return first;
  }
  const end = await orAfter(clock, child.ended);
  if (end !== undefined) return end;
  child.kill();
  await child.ended;
  return { kind: "closed" };
}

// --- internal ---

/** The promise's value, or undefined where it takes too long. */
async function orAfter<T>(clock: Clock, promise: Promise<T>): Promise<T | undefined> {
  const late = Promise.withResolvers<undefined>();
  const cancel = clock.after(LIMITS.processCloseMs, () => late.resolve(undefined));
  try {
    return await Promise.race([promise, late.promise]);
  } finally {
    cancel();
  }
}
