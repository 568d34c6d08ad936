/** Which systemd unit this process belongs to, as its control group says. Asked by the doctor, who tests as that unit. */
import { readFileSync } from "node:fs";

/** `voxeltron.service`; undefined where it is none's, as in a terminal or in a container. */
export function ownUnit(): string | undefined {
  try {
    return unitIn(readFileSync("/proc/self/cgroup", "utf8"));
  } catch {
    return undefined;
  }
}

/** Of the unified hierarchy, or of systemd's own. The last part must be the service: a session has one above it. */
export function unitIn(cgroups: string): string | undefined {
  const paths = cgroups.split("\n").map((line) => /^(?:0::|\d+:name=systemd:)(.*)$/.exec(line)?.[1]);
  return paths
    .map((path) => /([^/]+\.service)(?:\/[^/.]+)?$/.exec(path ?? "")?.[1])
    .find((unit) => unit !== undefined);
}
