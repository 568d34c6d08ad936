/**
 * Tells systemd how the daemon is doing (sd_notify): one datagram on the socket that NOTIFY_SOCKET names. Bun has no Unix
 * datagrams, so libc sends it. Without NOTIFY_SOCKET nothing is loaded and nothing is said. Called by daemon/run.ts.
 */
import { dlopen, FFIType, ptr } from "bun:ffi";

export type NotifyServiceManager = (...lines: readonly string[]) => void;

/**
 * @example
 * const notify = openServiceManager(process.env["NOTIFY_SOCKET"]);
 * notify("READY=1", "STATUS=serving");
 */
export function openServiceManager(path: string | undefined): NotifyServiceManager {
  if (path === undefined || path === "" || process.platform !== "linux") return () => {};
  const libc = openLibc();
  const descriptor = libc.symbols.socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (descriptor < 0) return () => {};
  const address = socketAddress(path);
  return (...lines) => {
    const message = Buffer.from(lines.join("\n"));
    libc.symbols.sendto(descriptor, ptr(message), message.length, MSG_NOSIGNAL, ptr(address), address.length);
  };
}

// --- internal ---

const AF_UNIX = 1;
const SOCK_DGRAM = 2;
const SOCK_CLOEXEC = 0o2000000;
const MSG_NOSIGNAL = 0x4000;

/** glibc, then musl by architecture. */
const LIBC_NAMES = ["libc.so.6", "libc.musl-x86_64.so.1", "libc.musl-aarch64.so.1"];

function openLibc() {
  const symbols = {
    socket: { args: [FFIType.i32, FFIType.i32, FFIType.i32], returns: FFIType.i32 },
    sendto: {
      args: [FFIType.i32, FFIType.ptr, FFIType.u64, FFIType.i32, FFIType.ptr, FFIType.u32],
      returns: FFIType.i64,
    },
  } as const;
  let last: unknown;
  for (const name of LIBC_NAMES) {
    try {
      return dlopen(name, symbols);
    } catch (error) {
      last = error;
    }
  }
  throw last;
}

/** struct sockaddr_un; a leading @ means the abstract namespace, written as a NUL byte and not terminated. */
function socketAddress(path: string): Buffer {
  const abstract = path.startsWith("@");
  const name = Buffer.from(abstract ? `\0${path.slice(1)}` : `${path}\0`);
  const family = Buffer.alloc(2);
  family.writeUInt16LE(AF_UNIX);
  return Buffer.concat([family, name]);
}
