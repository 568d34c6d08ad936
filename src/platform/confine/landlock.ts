/**
 * Landlock: from here on this thread and what it executes opens nothing but what is listed, connects and binds no TCP port, and
 * reaches no abstract socket and no process outside. Needs no privilege, can't be undone. Called by the launcher.
 */
import { need } from "./failure.ts";
import { cString, type Kernel } from "./kernel.ts";

export interface Allowed {
  /** A path that can't be opened is a failure, never left out. */
  readonly path: string;
  readonly rights: number;
  /** The descriptor stays open: while it does, a file of /proc keeps the inode that its rule names. */
  readonly keep?: true;
}

export const RIGHT = { execute: 1, writeFile: 2, readFile: 4, readFolder: 8 } as const;

/** 0 or the negated error where the kernel has none or forbids it. */
export function landlockVersion(kernel: Kernel): number {
  return kernel.call("landlock_create_ruleset", 0, 0, ASK_VERSION);
}

/** Gives back the descriptors of what is to be kept. */
export function restrictFiles(kernel: Kernel, allowed: readonly Allowed[]): number[] {
  const version = need("landlock", "Landlock is not there", landlockVersion(kernel));
  const ruleset = makeRuleset(kernel, version);
  const kept = allowed.flatMap((file) => {
    const descriptor = allowPath(kernel, ruleset, file);
    if (file.keep) return [descriptor];
    kernel.call("close", descriptor);
    return [];
  });
  need("landlock", "landlock_restrict_self", kernel.call("landlock_restrict_self", ruleset, 0));
  kernel.call("close", ruleset);
  return kept;
}

// --- internal ---

const ASK_VERSION = 1;
const RULE_PATH_BENEATH = 1;
const O_PATH_CLOEXEC = 0x280000;
const AT_FDCWD = -100;

/** By version, the rights on files that the kernel knows: REFER came with 2, TRUNCATE with 3, IOCTL_DEV with 5. */
const FILE_RIGHTS: readonly (readonly [version: number, bits: number])[] = [
  [5, 0xffff],
  [3, 0x7fff],
  [2, 0x3fff],
  [1, 0x1fff],
];
const NET_BIND_AND_CONNECT = 3;
const SCOPE_ABSTRACT_SOCKETS_AND_SIGNALS = 3;

/** struct landlock_ruleset_attr: what is handled here and not allowed below is refused. */
function makeRuleset(kernel: Kernel, version: number): number {
  const files = FILE_RIGHTS.find(([from]) => version >= from)?.[1] ?? 0;
  const handled = [
    files,
    ...(version >= 4 ? [NET_BIND_AND_CONNECT] : []),
    ...(version >= 6 ? [SCOPE_ABSTRACT_SOCKETS_AND_SIGNALS] : []),
  ];
  const attributes = new BigUint64Array(handled.map(BigInt));
  const ruleset = kernel.call("landlock_create_ruleset", attributes, attributes.byteLength, 0);
  return need("landlock", "landlock_create_ruleset", ruleset);
}

/** struct landlock_path_beneath_attr is packed: eight bytes of rights, four of descriptor. */
function allowPath(kernel: Kernel, ruleset: number, { path, rights }: Allowed): number {
  const opened = kernel.call("openat", AT_FDCWD, cString(path), O_PATH_CLOEXEC, 0);
  const descriptor = need("landlock", `open ${path}`, opened);
  const attributes = new Uint8Array(12);
  const view = new DataView(attributes.buffer);
  view.setBigUint64(0, BigInt(rights), true);
  view.setInt32(8, descriptor, true);
  const added = kernel.call("landlock_add_rule", ruleset, RULE_PATH_BENEATH, attributes, 0);
  need("landlock", `landlock_add_rule ${path}`, added);
  return descriptor;
}
