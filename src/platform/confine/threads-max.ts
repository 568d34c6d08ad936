/** How many threads a confined process may have: enough for the runtime, too few to keep the daemon from the processors. */
import { availableParallelism } from "node:os";
import { LIMITS } from "../../base/limits.ts";

/** The runtime has about ten threads and some for each processor. With 480 the daemon was measured to wait 650 ms, with 64 at most 40. */
export function threadsMax(): number {
  return LIMITS.confinedThreads + 2 * availableParallelism();
}
