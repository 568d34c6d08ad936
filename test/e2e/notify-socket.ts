/** A Unix datagram socket that listens as systemd would: Bun has none, so libc makes it. For tests on Linux. */
import { dlopen, FFIType, ptr } from "bun:ffi";

export interface NotifySocket extends Disposable {
  /** Messages that arrived so far, oldest first. */
  received(): readonly string[];
}

/** `path` may begin with @ for the abstract namespace. */
export function openNotifySocket(path: string): NotifySocket {
  const libc = dlopen("libc.so.6", {
    socket: { args: [FFIType.i32, FFIType.i32, FFIType.i32], returns: FFIType.i32 },
    bind: { args: [FFIType.i32, FFIType.ptr, FFIType.u32], returns: FFIType.i32 },
    recv: { args: [FFIType.i32, FFIType.ptr, FFIType.u64, FFIType.i32], returns: FFIType.i64 },
    close: { args: [FFIType.i32], returns: FFIType.i32 },
  }).symbols;
  const descriptor = libc.socket(1, 2, 0);
  const name = Buffer.from(path.startsWith("@") ? `\0${path.slice(1)}` : `${path}\0`);
  const address = Buffer.concat([Buffer.from([1, 0]), name]);
  if (libc.bind(descriptor, ptr(address), address.length) !== 0) throw new Error(`can't listen at ${path}`);
  const messages: string[] = [];
  const buffer = Buffer.alloc(4096);
  const DONTWAIT = 0x40;
  return {
    received() {
      for (;;) {
        const size = Number(libc.recv(descriptor, ptr(buffer), buffer.length, DONTWAIT));
        if (size <= 0) return messages;
        messages.push(buffer.toString("utf8", 0, size));
      }
    },
    [Symbol.dispose]: () => void libc.close(descriptor),
  };
}
