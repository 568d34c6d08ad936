/** The kernel's constants that attacks share, the same on x86-64 and arm64 but for OPEN.folder, .path and .temporary. */

/** AT_FDCWD */
export const FROM_HERE = -100;
/** AT_EMPTY_PATH */
export const EMPTY_PATH = 0x1000;
/** AT_SYMLINK_NOFOLLOW */
export const NO_FOLLOW = 0x100;

const arm = process.arch === "arm64";

export const OPEN = {
  read: 0,
  write: 1,
  readWrite: 2,
  create: 0o100,
  truncate: 0o1000,
  append: 0o2000,
  nonBlocking: 0o4000,
  folder: arm ? 0o40000 : 0o200000,
  path: 0o10000000,
  temporary: 0o20000000 | (arm ? 0o40000 : 0o200000),
} as const;

/** What glibc asks of clone for a thread. */
export const THREAD = 0x3d0f00;

export const SIGNAL = { kill: 9, user1: 10, user2: 12, child: 17, stop: 19 } as const;

export const CLONE = {
  memory: 0x100,
  files: 0x400,
  signals: 0x800,
  vfork: 0x4000,
  parent: 0x8000,
  thread: 0x10000,
  mounts: 0x20000,
  hostname: 0x4000000,
  ipc: 0x8000000,
  user: 0x10000000,
  pids: 0x20000000,
  net: 0x40000000,
} as const;
