/**
 * Tells systemd how the daemon is doing (sd_notify): one datagram on the socket that NOTIFY_SOCKET names. Bun has no Unix
 * datagrams, so libc sends it. Without NOTIFY_SOCKET nothing is loaded and nothing is said. Called by daemon/run.ts.
 */
import { FFIType, ptr } from "bun:ffi";
import { openLibc } from "./libc.ts";

export type NotifyServiceManager = (...lines: readonly string[]) => void;

/**
 * @example
 * const notify = openServiceManager(process.env["NOTIFY_SOCKET"]);
 * notify("READY=1", "STATUS=serving");
 */
export function openServiceManager(path: string | undefined): NotifyServiceManager {
  if (path === undefined || path === "" || process.platform !== "linux") return () => {};
  const libc = openLibc(functions);
  const descriptor = libc.socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (descriptor < 0) return () => {};
  const address = socketAddress(path);
  return (...lines) => {
    const message = Buffer.from(lines.join("\n"));
    libc.sendto(descriptor, ptr(message), message.length, MSG_NOSIGNAL, ptr(address), address.length);
  };
}

// --- internal ---

const AF_UNIX = 1;
const SOCK_DGRAM = 2;
const SOCK_CLOEXEC = 0o2000000;
const MSG_NOSIGNAL = 0x4000;

const functions = {
  socket: { args: [FFIType.i32, FFIType.i32, FFIType.i32], returns: FFIType.i32 },
  sendto: {
    args: [FFIType.i32, FFIType.ptr, FFIType.u64, FFIType.i32, FFIType.ptr, FFIType.u32],
    returns: FFIType.i64,
  },
} as const;

/** struct sockaddr_un; a leading @ means the abstract namespace, written as a NUL byte and not terminated. */
function socketAddress(path: string): Buffer {
  const abstract = path.startsWith("@");
  const name = Buffer.from(abstract ? `\0${path.slice(1)}` : `${path}\0`);
  const family = Buffer.alloc(2);
  family.writeUInt16LE(AF_UNIX);
  return Buffer.concat([family, name]);
}
