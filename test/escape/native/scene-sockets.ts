/** Sockets on which the stand-in daemon waits for nobody: the kernel itself keeps count of who came, so no visitor is missed. */
import {
  abstractAddress,
  DATAGRAM,
  FAMILY,
  inet6Address,
  inetAddress,
  STREAM,
  unixAddress,
} from "./addresses.ts";
import { Refused } from "./errors.ts";
import type { Kernel } from "./kernel.ts";

export interface SceneSockets {
  readonly tcpPort: number;
  /** 0 where the machine has no IPv6. */
  readonly tcp6Port: number;
  readonly udpPort: number;
  /** Who came so far, by socket. */
  visits(): Readonly<Record<string, string>>;
}

export function openSockets(
  kernel: Kernel,
  paths: { readonly stream: string; readonly datagram: string; readonly abstractName: string },
): SceneSockets {
  const counts = new Map<string, { readonly socket: number; readonly type: number; count: number }>();

  function open(name: string, family: number, type: number, address: Uint8Array): number {
    const socket = kernel.call("socket", family, type | NON_BLOCKING | CLOSE_ON_EXEC, 0);
    kernel.call("bind", socket, address, address.length);
    if (type === STREAM) kernel.call("listen", socket, 64);
    counts.set(name, { socket, type, count: 0 });
    return socket;
  }

  open("stream socket", FAMILY.unix, STREAM, unixAddress(paths.stream));
  open("datagram socket", FAMILY.unix, DATAGRAM, unixAddress(paths.datagram));
  open("abstract socket", FAMILY.unix, STREAM, abstractAddress(paths.abstractName));
  const tcp = open("tcp port", FAMILY.inet, STREAM, inetAddress(0));
  const udp = open("udp port", FAMILY.inet, DATAGRAM, inetAddress(0));
  const tcp6 = unlessRefused(() => open("tcp6 port", FAMILY.inet6, STREAM, inet6Address(0)));

  return {
    tcpPort: portOf(kernel, tcp),
    tcp6Port: tcp6 === undefined ? 0 : portOf(kernel, tcp6),
    udpPort: portOf(kernel, udp),
    visits() {
      for (const entry of counts.values()) while (takeOne(kernel, entry)) entry.count++;
      return Object.fromEntries([...counts].map(([name, { count }]) => [name, `${count} visits`]));
    },
  };
}

// --- internal ---

const NON_BLOCKING = 0o4000;
const CLOSE_ON_EXEC = 0o2000000;

/** The next connection or datagram that waits there, if there is one. */
function takeOne(
  kernel: Kernel,
  { socket, type }: { readonly socket: number; readonly type: number },
): boolean {
  const bytes = new Uint8Array(64);
  const taken = unlessRefused(() =>
    type === STREAM
      ? kernel.call("accept4", socket, 0, 0, 0)
      : kernel.call("recvfrom", socket, bytes, bytes.length, 0, 0, 0),
  );
  if (taken !== undefined && type === STREAM) kernel.call("close", taken);
  return taken !== undefined;
}

function portOf(kernel: Kernel, socket: number): number {
  const address = new Uint8Array(28);
  kernel.call("getsockname", socket, address, new Uint32Array([address.length]));
  return new DataView(address.buffer).getUint16(2, false);
}

function unlessRefused(work: () => number): number | undefined {
  try {
    return work();
  } catch (error) {
    if (error instanceof Refused) return undefined;
    throw error;
  }
}
