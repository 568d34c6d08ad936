/**
 * The child's side of confinement: gives up for ever, in this process and all its threads, what is left of its power. Called
 * by a role's main before it reads anything of a plugin. Ends the process with a reason on stderr where that can't be done.
 */
import { keepCapabilities } from "./capabilities.ts";
import { changeUser } from "./change-user.ts";
import { dieWithParent } from "./die-with-parent.ts";
import { ConfinementError, need, orEnd, SEALED_LINE, tell } from "./failure.ts";
import { openKernel, type Kernel } from "./kernel.ts";
import { landlockVersion } from "./landlock.ts";
import { isMusl } from "../libc.ts";
import { setLimits } from "./limits.ts";
import { PLAN_VARIABLE, readPlan, type ConfinePlan } from "./plan.ts";
import { checkRefusals } from "./refusals.ts";
import { installFilter } from "./seccomp/install.ts";
import { sealedRules } from "./seccomp/rules.ts";
import { checkThreads, openThreads } from "./threads.ts";

/**
 * From its return on no file and no socket can be opened, nothing can be executed and nobody else be signalled; descriptor 3 is
 * what is left, and 0 to 2 are /dev/null. An unconfined process gets its limits and dies with its parent, no more.
 */
export function sealProcess(): void {
  orEnd(() => {
    const plan = readPlan(process.env[PLAN_VARIABLE]);
    delete process.env[PLAN_VARIABLE];
    if (plan === undefined) throw new ConfinementError("plan", "this role is started by the daemon only");
    const kernel = openKernel();
    if (plan.confined) seal(kernel, plan);
    else restrain(kernel, plan);
    tell(SEALED_LINE);
    need("stderr", "dup3", kernel.call("dup3", STDOUT, STDERR, 0));
  });
}

// --- internal ---

const PR_SET_DUMPABLE = 4;
const LANDLOCK_WITH_SIGNALS = 6;
const STDOUT = 1;
const STDERR = 2;

function seal(kernel: Kernel, plan: ConfinePlan): void {
  const threads = openThreads();
  if (plan.uid !== undefined) changeUser(kernel, plan.uid);
  keepCapabilities(kernel, []);
  need("dumpable", "prctl", kernel.call("prctl", PR_SET_DUMPABLE, 0, 0, 0, 0));
  for (const descriptor of plan.kept) need("descriptors", "close", kernel.call("close", descriptor));
  dieWithParent(kernel, plan.parent);
  const mayTkill = isMusl() && othersAreSafe(kernel, plan);
  installFilter(kernel, "all threads", ({ openFolder }) =>
    sealedRules({ profile: plan.profile, pid: process.pid, openFolder, mayTkill }),
  );
  checkThreads(threads, plan.uid);
  checkRefusals(kernel, plan.parent);
}

/** musl signals its own threads by tkill, whose target a filter can't check: Landlock or a user of its own must protect the others. */
function othersAreSafe(kernel: Kernel, plan: ConfinePlan): boolean {
  if (plan.uid !== undefined || landlockVersion(kernel) >= LANDLOCK_WITH_SIGNALS) return true;
  throw new ConfinementError(
    "seccomp",
    `with musl and Landlock before version ${LANDLOCK_WITH_SIGNALS} (Linux 6.12) the daemon must be able to give it a user of its own`,
  );
}

function restrain(kernel: Kernel, plan: ConfinePlan): void {
  if (plan.uid !== undefined) changeUser(kernel, plan.uid);
  dieWithParent(kernel, plan.parent);
  setLimits(kernel, plan);
}
