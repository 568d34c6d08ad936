/** Makes the whole process, each of its threads, another user and group of the same number: one that owns nothing. */
import { ConfinementError, need } from "./failure.ts";
import { errorName, type Kernel } from "./kernel.ts";

export function changeUser(kernel: Kernel, uid: number): void {
  // -1 means "as it is" to the kernel.
  if (!Number.isInteger(uid) || uid <= ROOT || uid >= KEEP) {
    throw new ConfinementError("user", `${uid} is no user that a plugin can be`);
  }
  need("user", "setgroups", kernel.setGroups());
  become("setresgid", uid, kernel.setGroup(uid));
  // From root to another user the kernel takes the capabilities of every thread; from another user it would leave them.
  if (process.getuid?.() !== ROOT) become("setresuid", ROOT, kernel.setUser(ROOT));
  become("setresuid", uid, kernel.setUser(uid));
}

// --- internal ---

const ROOT = 0;
const KEEP = 2 ** 32 - 1;

function become(what: string, id: number, result: number): void {
  if (result >= 0) return;
  const why = result === -EINVAL ? "it does not exist in this user namespace" : errorName(result);
  throw new ConfinementError("user", `${what} to ${id}: ${why}`);
}

const EINVAL = 22;
