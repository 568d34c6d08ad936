/**
 * The program in its role `__confine`: gives up what it can, then executes itself again in the role that the plan's words name.
 * What it gave up stays given up. It never returns: it is replaced, or ends with a reason on stderr. Called by main.ts.
 */
import { writeFileSync } from "node:fs";
import { keepCapabilities, CAPABILITY } from "./capabilities.ts";
import { dieWithParent } from "./die-with-parent.ts";
import { childEnvironment } from "./environment.ts";
import { ConfinementError, need, orEnd } from "./failure.ts";
import { openKernel, type Kernel } from "./kernel.ts";
import { restrictFiles } from "./landlock.ts";
import { setLimits } from "./limits.ts";
import { readPlan, type ConfinePlan } from "./plan.ts";
import type { Profile } from "./profile.ts";
import { readableFiles } from "./readable-files.ts";
import { installFilter } from "./seccomp/install.ts";
import { startRules } from "./seccomp/rules.ts";
import { sourceFolder } from "../self.ts";

/** `words`: the plan, then the words of the program's next role. */
export function runConfineRole([planText, ...role]: readonly string[]): void {
  orEnd(() => {
    const plan = readPlan(planText);
    if (plan === undefined) throw new ConfinementError("plan", "this role is started by the daemon only");
    const kernel = openKernel();
    dieWithParent(kernel, plan.parent);
    need("no_new_privs", "prctl", kernel.call("prctl", PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
    preferAsVictim();
    keepCapabilities(kernel, plan.uid === undefined ? [] : [CAPABILITY.setGid, CAPABILITY.setUid]);
    // From source the runtime needs the project's folder.
    if (sourceFolder() === undefined) process.chdir(WORKING_FOLDER[plan.profile]);
    const kept = restrictFiles(kernel, readableFiles());
    installFilter(kernel, "thread", startRules);
    execute(kernel, { ...plan, kept }, role);
  });
}

// --- internal ---

const PR_SET_NO_NEW_PRIVS = 38;
/** Bun.build reads its working folder. This one is always there, names the process's own threads, and nothing of the machine. */
const WORKING_FOLDER: Readonly<Record<Profile, string>> = { guest: "/", bundler: "/proc/self/task" };

const LINK = 3;
const LAST = 0xffffffff;
const CLOSE_ON_EXEC = 4;
const F_SETFD = 2;

/** When memory runs out on the whole machine, a plugin goes first. Where that can't be said it is as likely as others. */
function preferAsVictim(): void {
  try {
    writeFileSync("/proc/self/oom_score_adj", "1000");
  } catch {
    // Nothing of confinement depends on it.
  }
}

function execute(kernel: Kernel, plan: ConfinePlan, role: readonly string[]): void {
  need("descriptors", "close_range", kernel.call("close_range", LINK + 1, LAST, CLOSE_ON_EXEC));
  for (const descriptor of [LINK, ...plan.kept]) {
    need("descriptors", "fcntl", kernel.call("fcntl", descriptor, F_SETFD, 0));
  }
  const environment = childEnvironment(plan, process.env["TZ"]);
  const settings = Object.entries(environment).map(([name, value]) => `${name}=${value}`);
  setLimits(kernel, plan);
  need("execute", "execve", kernel.execute("/proc/self/exe", sameProgram(role), settings));
}

/** argv of this very program: the executable or, from source, the runtime and the file that it was started with. */
function sameProgram(role: readonly string[]): string[] {
  const [, file = ""] = process.argv;
  return sourceFolder() === undefined ? [process.execPath, ...role] : [process.execPath, file, ...role];
}
