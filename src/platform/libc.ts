/**
 * The C library by its name, which is how dlopen finds what the process has loaded already: no path is read and no file is
 * opened. Used by what Bun has no call for: service-manager.ts and confine/.
 */
import { dlopen, FFIType, type FFIFunction, type Library } from "bun:ffi";

/**
 * @example
 * const { getppid } = openLibc({ getppid: { args: [], returns: FFIType.i32 } });
 */
export function openLibc<Functions extends Record<string, FFIFunction>>(
  functions: Functions,
): Library<Functions>["symbols"] {
  let first: unknown;
  for (const name of LIBC_NAMES) {
    try {
      return dlopen(name, functions).symbols;
    } catch (error) {
      first ??= error;
    }
  }
  throw first;
}

/** The kernel's page: 4 KiB on x86-64, more on some arm64 machines. */
export function readPageBytes(): number {
  return openLibc({ getpagesize: { args: [], returns: FFIType.i32 } }).getpagesize();
}

/** Whether the C library is musl, as on Alpine; glibc alone tells its version. */
export function isMusl(): boolean {
  try {
    openLibc({ gnu_get_libc_version: { args: [], returns: FFIType.ptr } });
    return false;
  } catch {
    return true;
  }
}

// --- internal ---

/** glibc, then musl. A name that is not loaded would be looked for in the working folder: none is tried that can't be right. */
const LIBC_NAMES = ["libc.so.6", `libc.musl-${process.arch === "arm64" ? "aarch64" : "x86_64"}.so.1`];
