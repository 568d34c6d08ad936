/** Pieces of memory as the kernel wants them, for calls that move data between processes. */
import type { Places } from "./attack.ts";
import type { Kernel } from "./kernel.ts";

/** Two struct iovec: of ours, and of the daemon's secret. */
export function vectors(kernel: Kernel, at: Places, ours: Uint8Array): [BigUint64Array, BigUint64Array] {
  return [
    new BigUint64Array([kernel.address(ours), BigInt(ours.length)]),
    new BigUint64Array([BigInt(at.memoryAddress), BigInt(at.memoryBytes)]),
  ];
}

/** struct msghdr with one piece of data. */
export function messageHead(kernel: Kernel, data: Uint8Array, address?: Uint8Array): BigUint64Array {
  const piece = new BigUint64Array([kernel.address(data), BigInt(data.length)]);
  const to = address === undefined ? [0n, 0n] : [kernel.address(address), BigInt(address.length)];
  return new BigUint64Array([...to, kernel.address(piece), 1n, 0n, 0n, 0n]);
}
