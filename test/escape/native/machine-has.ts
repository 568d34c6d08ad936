/** What a control needs of the machine, looked up once. What CI must have is asked of the harness, which fails without it. */
import * as ffi from "bun:ffi";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { availableParallelism, networkInterfaces, tmpdir } from "node:os";
import { join } from "node:path";
import { lacks, needs } from "../../harness.ts";
import type { Needs } from "./attack.ts";
import { endingOf } from "./judge.ts";
import { makeKernel } from "./kernel.ts";
import type { Report } from "./stand-in.ts";

export function machineHas(what: Needs): boolean {
  const known = answers.get(what) ?? questions[what]();
  answers.set(what, known);
  return known;
}

/** A container has a filter of its own, which stands before the kernel where ours doesn't. Not so where CI runs. */
export function refusedByMachine(report: Report): boolean {
  const refused = isFiltered() && ["EPERM", "ENOSYS"].includes(endingOf(report));
  if (refused) lacks("a kernel without a filter");
  return refused;
}

// --- internal ---

function isFiltered(): boolean {
  return !readFileSync("/proc/self/status", "latin1").includes("Seccomp:\t0\n");
}

const answers = new Map<Needs, boolean>();
const isX64 = process.arch === "x64";

const questions: Readonly<Record<Needs, () => boolean>> = {
  user: () => true,
  root: () => needs("root"),
  "x86-64": () => isX64,
  "x86-64-root": () => isX64 && needs("root"),
  docker: () => needs("docker"),
  ipv6: () =>
    Object.values(networkInterfaces()).some((list) => list?.some(({ family }) => family === "IPv6")),
  cores: () => availableParallelism() > 1,
  glibc: () => "glibcVersionRuntime" in (process.report.getReport() as { readonly header: object }).header,
  xattr: keepsAttributes,
};

/** Whether the file system of temporary files keeps attributes of users. */
function keepsAttributes(): boolean {
  const place = mkdtempSync(join(tmpdir(), "voxeltron-attributes-"));
  try {
    return makeKernel(ffi).call("setxattr", place, "user.secret", "x", 1, 0) === 0;
  } catch {
    return false;
  } finally {
    rmSync(place, { recursive: true });
  }
}
