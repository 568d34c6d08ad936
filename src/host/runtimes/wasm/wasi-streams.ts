/** The three descriptors that a module has: a stdin that is at its end, and two that only `fd_write` writes to. */
import { ConsoleStdout, type Fd } from "@bjorn3/browser_wasi_shim";
import { ERRNO } from "./wasi-errno.ts";

export function makeStandardStreams(): Fd[] {
  const stdin = new ConsoleStdout(() => {});
  stdin.fd_read = () => ({ ret: ERRNO.success, data: new Uint8Array() });
  stdin.fd_write = () => ({ ret: ERRNO.badDescriptor, nwritten: 0 });
  return [stdin, new ConsoleStdout(() => {}), new ConsoleStdout(() => {})];
}
