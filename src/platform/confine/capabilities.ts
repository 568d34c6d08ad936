/**
 * Capabilities of this thread: dropped by the launcher down to those that change the user, and by the seal to none. What a thread
 * has is inherited by what it executes; no_new_privs keeps root from getting the rest back.
 */
import { need } from "./failure.ts";
import type { Kernel } from "./kernel.ts";

export const CAPABILITY = { kill: 5, setGid: 6, setUid: 7, setPcap: 8 } as const;

/** Keeps nothing else in this thread and in what it executes. */
export function keepCapabilities(kernel: Kernel, kept: readonly number[]): void {
  dropFromBoundingSet(kernel, kept);
  need(
    "capabilities",
    "clear the ambient set",
    kernel.call("prctl", PR_CAP_AMBIENT, AMBIENT_CLEAR_ALL, 0, 0, 0),
  );
  // Root's execution gives back what is permitted; of anybody else's only what is ambient survives, and so inheritable.
  const inheritable = process.getuid?.() === ROOT ? [] : kept;
  need("capabilities", "capset", setAll(kernel, maskOf(kept), maskOf(inheritable)));
  for (const capability of inheritable) {
    const raised = kernel.call("prctl", PR_CAP_AMBIENT, AMBIENT_RAISE, capability, 0, 0);
    need("capabilities", "raise the ambient set", raised);
  }
}

/**
 * What the daemon lacks for giving its children users of their own: to become another user, and to kill what is another user's.
 * Without CAP_KILL the kernel doesn't even let a child die with its parent.
 */
export function missingForUsers(kernel: Kernel): string[] {
  const set = effectiveCapabilities(kernel);
  return FOR_USERS.filter(([capability]) => !holds(set, capability)).map(([, name]) => name);
}

// --- internal ---

/** The effective set of this thread. */
function effectiveCapabilities(kernel: Kernel): bigint {
  const data = new Uint8Array(DATA_BYTES);
  need("capabilities", "capget", kernel.call("capget", header(), data));
  const view = new DataView(data.buffer);
  return BigInt(view.getUint32(0, true)) | (BigInt(view.getUint32(12, true)) << 32n);
}

function holds(set: bigint, capability: number): boolean {
  return ((set >> BigInt(capability)) & 1n) === 1n;
}

const FOR_USERS: readonly (readonly [number, string])[] = [
  [CAPABILITY.setUid, "CAP_SETUID"],
  [CAPABILITY.setGid, "CAP_SETGID"],
  [CAPABILITY.kill, "CAP_KILL"],
];

const ROOT = 0;
const PR_CAPBSET_READ = 23;
const PR_CAPBSET_DROP = 24;
const PR_CAP_AMBIENT = 47;
const AMBIENT_RAISE = 2;
const AMBIENT_CLEAR_ALL = 4;
const VERSION_3 = 0x20080522;
const DATA_BYTES = 24;

/** Needs CAP_SETPCAP. Without it no_new_privs alone keeps what is dropped from coming back. */
function dropFromBoundingSet(kernel: Kernel, kept: readonly number[]): void {
  if (!holds(effectiveCapabilities(kernel), CAPABILITY.setPcap)) return;
  for (let capability = 0; kernel.call("prctl", PR_CAPBSET_READ, capability, 0, 0, 0) >= 0; capability++) {
    if (kept.includes(capability)) continue;
    const dropped = kernel.call("prctl", PR_CAPBSET_DROP, capability, 0, 0, 0);
    need("capabilities", "drop from the bounding set", dropped);
  }
}

/** struct __user_cap_data_struct, twice: the lower and the upper 32 of effective, permitted, inheritable. */
function setAll(kernel: Kernel, permitted: bigint, inheritable: bigint): number {
  const data = new Uint8Array(DATA_BYTES);
  const view = new DataView(data.buffer);
  for (const [i, set] of [permitted, permitted, inheritable].entries()) {
    view.setUint32(4 * i, Number(set & 0xffffffffn), true);
    view.setUint32(12 + 4 * i, Number(set >> 32n), true);
  }
  return kernel.call("capset", header(), data);
}

/** struct __user_cap_header_struct: the version, and 0 for this thread. */
function header(): Uint8Array {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setUint32(0, VERSION_3, true);
  return bytes;
}

function maskOf(capabilities: readonly number[]): bigint {
  return capabilities.reduce((mask, capability) => mask | (1n << BigInt(capability)), 0n);
}
