/**
 * What this machine can do to confine a process, and what is missing: for `voxeltron doctor`, for `daemon info` and for the
 * error when a plugin can't be started. Looks, and changes nothing.
 */
import { existsSync, readFileSync } from "node:fs";
import { LIMITS } from "../../base/limits.ts";
import { formatBytes } from "../../base/text.ts";
import { missingForUsers } from "./capabilities.ts";
import { findMemoryPlace } from "./cgroup/place.ts";
import { errorName, openKernel, type Kernel } from "./kernel.ts";
import { landlockVersion } from "./landlock.ts";
import { dataLimit } from "./limits.ts";
import { filtersAvailable } from "./seccomp/install.ts";
import { MACHINES } from "./seccomp/machine.ts";

export interface ConfinementReport {
  /** True where processes can be confined: every required check is ok. */
  readonly ok: boolean;
  readonly checks: readonly ConfinementCheck[];
}

export interface ConfinementCheck {
  readonly name: "system" | "landlock" | "seccomp" | "limits" | "uid" | "cgroup";
  /** A required check that fails keeps plugin processes from starting; the others only weaken the defence. */
  readonly required: boolean;
  readonly ok: boolean;
  /** What was found: `Landlock, version 7`, `no CAP_SETUID`. */
  readonly found: string;
  /** What the operator can do about it; only where not ok. */
  readonly advice?: string;
}

export function confinementReport(): ConfinementReport {
  const system = checkSystem();
  const checks = system.ok ? [system, ...checkKernel(openKernel())] : [system];
  return { ok: checks.every((check) => check.ok || !check.required), checks };
}

export interface Wanted {
  readonly confined: boolean;
  readonly uid: number | undefined;
}

/** The first check that keeps such a process from starting; where it need not be confined, the system is enough. */
export function whatIsMissing(
  report: ConfinementReport,
  { confined, uid }: Wanted,
): ConfinementCheck | undefined {
  const needed = (check: ConfinementCheck): boolean =>
    check.name === "system" || (check.required && confined) || (check.name === "uid" && uid !== undefined);
  return report.checks.find((check) => !check.ok && needed(check));
}

// --- internal ---

function checkSystem(): ConfinementCheck {
  const advice = "plugins that run in a process of their own need Linux on x86-64 or arm64, with /proc";
  const check = { name: "system", required: true, advice } as const;
  const found = `${process.platform} on ${process.arch}`;
  if (process.platform !== "linux" || MACHINES[process.arch] === undefined)
    return { ...check, ok: false, found };
  if (!existsSync("/proc/self/task")) return { ...check, ok: false, found: `${found}, without /proc` };
  if (!canCallKernel())
    return { ...check, ok: false, found: `${found}, without native calls`, advice: NO_CALLS };
  return { name: "system", required: true, ok: true, found };
}

const NO_CALLS =
  "the runtime makes code for them, in memory that may be written and executed: allow it (MemoryDenyWriteExecute= of the unit), and more memory";

/** The daemon itself works where it can't, and must be able to say so. */
function canCallKernel(): boolean {
  try {
    openKernel();
    return true;
  } catch {
    return false;
  }
}

function checkKernel(kernel: Kernel): ConfinementCheck[] {
  return [
    checkLandlock(landlockVersion(kernel)),
    checkSeccomp(filtersAvailable(kernel)),
    checkLimits(dataLimit(kernel)),
    checkUid(missingForUsers(kernel)),
    checkCgroup(kernel),
  ];
}

const CALLS = ["landlock_create_ruleset", "landlock_add_rule", "landlock_restrict_self", "seccomp"];
/** systemd's own groups don't have these calls, or not in all of its versions. */
const FILTER_ADVICE = `a container's seccomp profile must allow ${CALLS.join(", ")}; a unit says SystemCallFilter=@system-service ${CALLS.join(" ")}`;

/** What an error of the version's question means, and what to do about it. */
const LANDLOCK_ERRORS: Readonly<Record<string, readonly [found: string, advice: string]>> = {
  ENOSYS: [
    "this kernel has no Landlock",
    "it came with Linux 5.13; a kernel that has it is built with CONFIG_SECURITY_LANDLOCK",
  ],
  ENOTSUP: ["Landlock is built in but not enabled", "add landlock to the kernel's lsm= parameter"],
  EPERM: ["something forbids Landlock to this process (EPERM)", FILTER_ADVICE],
};

function checkLandlock(version: number): ConfinementCheck {
  const check = { name: "landlock", required: true } as const;
  if (version > 0) return { ...check, ok: true, found: `Landlock, version ${version}` };
  const error = errorName(version);
  const [found, advice] = LANDLOCK_ERRORS[error] ?? [
    `Landlock fails with ${error}`,
    "use a kernel whose Landlock works",
  ];
  return { ...check, ok: false, found, advice };
}

function checkSeccomp(result: number): ConfinementCheck {
  const check = { name: "seccomp", required: true } as const;
  if (result === 0) return { ...check, ok: true, found: "seccomp filters" };
  return {
    ...check,
    ok: false,
    found: `seccomp filters fail with ${errorName(result)}`,
    advice: `the kernel must be built with CONFIG_SECCOMP_FILTER; ${FILTER_ADVICE}`,
  };
}

/** The runtime doesn't start with less. */
function checkLimits(limit: bigint): ConfinementCheck {
  const check = { name: "limits", required: true } as const;
  const needed = BigInt(LIMITS.confinedDataSlackBytes);
  if (limit >= needed) return { ...check, ok: true, found: "limits can be set" };
  return {
    ...check,
    ok: false,
    found: `the daemon's own hard limit on data is ${formatBytes(Number(limit))}`,
    advice: `raise it to ${formatBytes(Number(needed))} or more (LimitDATA= of the unit, ulimit -d)`,
  };
}

function checkUid(missing: readonly string[]): ConfinementCheck {
  const check = { name: "uid", required: false } as const;
  if (missing.length === 0)
    return { ...check, ok: true, found: `a user of its own for each plugin, of ${userIds()}` };
  return {
    ...check,
    ok: false,
    found: `plugin processes are user ${process.getuid?.()}, as the daemon is: it has no ${missing.join(", ")}`,
    advice: "run the daemon as root, or give its unit AmbientCapabilities=CAP_SETUID CAP_SETGID CAP_KILL",
  };
}

/** In a user namespace only some ids exist. */
function userIds(): string {
  try {
    const ranges = readFileSync("/proc/self/uid_map", "utf8").trim().split("\n");
    return ranges
      .map((line) => line.trim().split(/\s+/).map(Number))
      .map(([first = 0, , count = 0]) => `${first} to ${first + count - 1}`)
      .join(", ");
  } catch {
    return "any id";
  }
}

function checkCgroup(kernel: Kernel): ConfinementCheck {
  const check = { name: "cgroup", required: false } as const;
  const place = findMemoryPlace(kernel);
  if (place.kind !== "none")
    return { ...check, ok: true, found: `a memory group for each, ${place.kind}, in ${place.folder}` };
  return {
    ...check,
    ok: false,
    found: `no memory groups: ${place.why}`,
    advice:
      "memory is bounded by limits and by the daemon's watch alone; Delegate=memory and DelegateSubgroup=daemon in the unit (systemd 254) add the kernel's own bound",
  };
}
