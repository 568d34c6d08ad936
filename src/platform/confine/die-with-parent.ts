/** A child that outlives its daemon would be nobody's: the kernel kills it when the daemon ends, however it ends. */
import { ConfinementError, need } from "./failure.ts";
import type { Kernel } from "./kernel.ts";

/** To be called again after a change of user, which undoes it. Fails where the parent is gone already. */
export function dieWithParent(kernel: Kernel, parent: number): void {
  need("parent", "prctl", kernel.call("prctl", PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0));
  const found = kernel.call("getppid");
  if (found !== parent) {
    throw new ConfinementError("parent", `the daemon (process ${parent}) is not the parent any more`);
  }
}

// --- internal ---

const PR_SET_PDEATHSIG = 1;
const SIGKILL = 9;
