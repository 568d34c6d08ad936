/** Socket addresses as the kernel wants them. */

export const FAMILY = { unix: 1, inet: 2, inet6: 10, netlink: 16, packet: 17, alg: 38, vsock: 40 } as const;
export const STREAM = 1;
export const DATAGRAM = 2;
export const RAW = 3;

export function unixAddress(path: string): Uint8Array {
  return join(u16(FAMILY.unix), Buffer.from(`${path}\0`));
}

export function abstractAddress(name: string): Uint8Array {
  return join(u16(FAMILY.unix), Buffer.from(`\0${name}`));
}

/** 127.0.0.1, or 0.0.0.0 where `everywhere`. */
export function inetAddress(port: number, everywhere = false): Uint8Array {
  return join(
    u16(FAMILY.inet),
    bigEndian16(port),
    everywhere ? [0, 0, 0, 0] : [127, 0, 0, 1],
    Array(8).fill(0),
  );
}

/** ::1 */
export function inet6Address(port: number): Uint8Array {
  return join(
    u16(FAMILY.inet6),
    bigEndian16(port),
    Array(4).fill(0),
    [...Array(15).fill(0), 1],
    Array(4).fill(0),
  );
}

// --- internal ---

function join(...parts: readonly (readonly number[] | Uint8Array)[]): Uint8Array {
  return new Uint8Array(parts.flatMap((part) => [...part]));
}

function u16(value: number): number[] {
  return [value & 0xff, value >> 8];
}

function bigEndian16(value: number): number[] {
  return [value >> 8, value & 0xff];
}
