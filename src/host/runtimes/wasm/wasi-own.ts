/**
 * The functions of WASI that the shim does not have, or does without bounds: writing (it copies before it looks), reading into
 * many buffers, random bytes (it fills as far as the memory goes), waiting (it spins), sockets (it throws texts). Called by
 * wasi.ts.
 */
import { LIMITS } from "../../../base/limits.ts";
import { HostFault } from "./guest-errors.ts";
import { ERRNO } from "./wasi-errno.ts";
import { makePoll } from "./wasi-poll.ts";

export interface WasiOwnOptions {
  readonly memory: () => WebAssembly.Memory;
  readonly isOpen: (fd: number) => boolean;
  /** Takes what it needs before it returns. */
  readonly write: (fd: number, bytes: Uint8Array) => void;
}

export type WasiFunction = (...args: never[]) => number;

export function makeWasiOwn(options: WasiOwnOptions): Readonly<Record<string, WasiFunction>> {
  const { memory, isOpen } = options;
  const unsupported = (): number => ERRNO.notSupported;
  return {
    fd_write: (fd: number, vectors: number, count: number, writtenAt: number) =>
      writeVectors(options, fd, { vectors, count, writtenAt }),
    fd_pwrite: () => ERRNO.notSeekable,
    fd_read: (fd: number, _vectors: number, _count: number, readAt: number) => {
      if (fd !== STDIN || !isOpen(fd)) return ERRNO.badDescriptor;
      new DataView(memory().buffer).setUint32(readAt, 0, true);
      return ERRNO.success;
    },
    fd_pread: () => ERRNO.notSeekable,
    random_get(pointer: number, length: number) {
      const bytes = new Uint8Array(memory().buffer, pointer >>> 0, length >>> 0);
      for (let at = 0; at < bytes.length; at += RANDOM_AT_ONCE)
        crypto.getRandomValues(bytes.subarray(at, at + RANDOM_AT_ONCE));
      return ERRNO.success;
    },
    poll_oneoff: makePoll({ memory, isOpen }),
    proc_raise(signal: number) {
      throw new HostFault(`the module raised the signal ${signal}`);
    },
    sock_accept: unsupported,
    sock_recv: unsupported,
    sock_send: unsupported,
    sock_shutdown: unsupported,
  };
}

// --- internal ---

const STDIN = 0;
const RANDOM_AT_ONCE = 65_536;
const VECTOR_BYTES = 8;

function writeVectors(
  { memory, isOpen, write }: WasiOwnOptions,
  fd: number,
  place: { readonly vectors: number; readonly count: number; readonly writtenAt: number },
): number {
  if ((fd !== 1 && fd !== 2) || !isOpen(fd)) return ERRNO.badDescriptor;
  if (place.count >>> 0 > LIMITS.wasiVectors) return ERRNO.invalid;
  const { buffer } = memory();
  const view = new DataView(buffer);
  let written = 0;
  for (let i = 0; i < place.count; i++) {
    const at = (place.vectors >>> 0) + i * VECTOR_BYTES;
    const bytes = new Uint8Array(buffer, view.getUint32(at, true), view.getUint32(at + 4, true));
    write(fd, bytes);
    written += bytes.length;
  }
  view.setUint32(place.writtenAt, written, true);
  return ERRNO.success;
}
