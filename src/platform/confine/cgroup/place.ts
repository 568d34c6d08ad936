/**
 * The folder in which groups for confined processes can be made, and what must be done before the first: looked for once, without
 * changing anything. A folder that somebody else (systemd) rules and did not hand over is left alone.
 */
import { accessSync, constants, existsSync, readFileSync } from "node:fs";
import { basename, dirname } from "node:path";
import { cString, type Kernel } from "../kernel.ts";
import { findMemoryHierarchy, type MemoryHierarchy } from "./hierarchy.ts";

export type MemoryPlace =
  | { readonly kind: "v1"; readonly folder: string }
  /** `crowded`: processes stand in the folder itself, and must move before it may have groups with controllers. */
  | { readonly kind: "v2"; readonly folder: string; readonly crowded: boolean }
  | { readonly kind: "none"; readonly why: string };

/** The group into which a daemon moved that stood where groups are to be. */
export const LEAF = "voxeltron-daemon";

export function findMemoryPlace(kernel: Kernel): MemoryPlace {
  const hierarchy = readHierarchy();
  if (hierarchy === undefined) return none("no control groups are mounted");
  return hierarchy.version === 1 ? placeOfV1(hierarchy) : placeOfV2(kernel, hierarchy);
}

// --- internal ---

function none(why: string): MemoryPlace {
  return { kind: "none", why };
}

function readHierarchy(): MemoryHierarchy | undefined {
  try {
    return findMemoryHierarchy(
      readFileSync("/proc/self/cgroup", "utf8"),
      readFileSync("/proc/self/mountinfo", "utf8"),
    );
  } catch {
    return undefined;
  }
}

function placeOfV1({ folder }: MemoryHierarchy): MemoryPlace {
  return isWritable(folder) ? { kind: "v1", folder } : none(`${folder} is not writable`);
}

function placeOfV2(kernel: Kernel, { root, folder }: MemoryHierarchy): MemoryPlace {
  if (folder === root) return placeAtRoot(folder);
  const above = dirname(folder);
  if (basename(folder) === LEAF || isHandedOver(kernel, above))
    return checked({ kind: "v2", folder: above, crowded: false });
  // To move out of it into a group below would let systemd start no new daemon there while anything of the old one lives on.
  return none(`${above} was not handed over to it`);
}

/** A container's own group, or that of a machine that nobody divides. */
function placeAtRoot(folder: string): MemoryPlace {
  const crowded = existsSync(`${folder}/cgroup.type`);
  if (crowded && !standsAlone(folder)) return none(`processes that are not the daemon's stand in ${folder}`);
  return checked({ kind: "v2", folder, crowded });
}

function checked(place: MemoryPlace & { readonly kind: "v2" }): MemoryPlace {
  if (!hasMemory(place.folder)) return none(`${place.folder} has no memory controller`);
  return isWritable(place.folder) ? place : none(`${place.folder} is not writable`);
}

function isWritable(folder: string): boolean {
  try {
    accessSync(folder, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}

/** Nobody else may be moved out of it: the daemon must be the only process there, without a child so far. */
function standsAlone(folder: string): boolean {
  return readText(`${folder}/cgroup.procs`).trim() === String(process.pid);
}

function hasMemory(folder: string): boolean {
  return readText(`${folder}/cgroup.controllers`).trim().split(" ").includes("memory");
}

/** systemd marks what it hands over (Delegate=). */
function isHandedOver(kernel: Kernel, folder: string): boolean {
  return ["user.delegate", "trusted.delegate"].some((name) => readAttribute(kernel, folder, name) === "1");
}

function readText(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return "";
  }
}

function readAttribute(kernel: Kernel, path: string, name: string): string | undefined {
  const value = new Uint8Array(16);
  const length = kernel.call("getxattr", cString(path), cString(name), value, value.length);
  return length < 0 ? undefined : new TextDecoder().decode(value.subarray(0, length));
}
