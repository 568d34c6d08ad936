/** Sockets of every family: by path, by abstract name, by port, and those that speak with the kernel itself. */
import {
  abstractAddress,
  DATAGRAM,
  FAMILY,
  inet6Address,
  inetAddress,
  RAW,
  STREAM,
  unixAddress,
} from "../addresses.ts";
import { ANSWER, attack, reaches, trace, type NativeAttack } from "../attack.ts";
import { Refused } from "../errors.ts";
import type { Kernel } from "../kernel.ts";
import { messageHead } from "../vectors.ts";

const DOCKER = "/var/run/docker.sock";

export const SOCKETS: readonly NativeAttack[] = [
  attack("connect to the daemon's socket", trace(/stream socket/), (kernel, at) =>
    connect(kernel, FAMILY.unix, STREAM, unixAddress(at.streamSocket)),
  ),
  attack("send to a datagram socket by its path", trace(/datagram socket/), (kernel, at) =>
    send(kernel, FAMILY.unix, unixAddress(at.datagramSocket)),
  ),
  attack("connect to an abstract socket", trace(/abstract socket/), (kernel, at) =>
    connect(kernel, FAMILY.unix, STREAM, abstractAddress(at.abstractName)),
  ),
  attack(
    "connect to the Docker engine",
    ANSWER,
    (kernel) => {
      connect(kernel, FAMILY.unix, STREAM, unixAddress(DOCKER));
      return "connected";
    },
    { needs: "docker" },
  ),
  attack("connect by TCP", trace(/tcp port/), (kernel, at) =>
    connect(kernel, FAMILY.inet, STREAM, inetAddress(at.tcpPort)),
  ),
  attack(
    "connect by TCP over IPv6",
    trace(/tcp6 port/),
    (kernel, at) => connect(kernel, FAMILY.inet6, STREAM, inet6Address(at.tcp6Port)),
    { needs: "ipv6" },
  ),
  attack("connect by TCP with its data in the first packet", trace(/tcp port/), (kernel, at) => {
    const fastOpen = 0x20000000;
    const address = inetAddress(at.tcpPort);
    const socket = kernel.call("socket", FAMILY.inet, STREAM, 0);
    kernel.call("sendto", socket, "x", 1, fastOpen, address, address.length);
  }),
  attack(
    "connect by multipath TCP",
    ANSWER,
    (kernel) => kernel.call("socket", FAMILY.inet, STREAM, 262),
    reaches(["EPROTONOSUPPORT", "ENOPROTOOPT"], "kernels may be built without it", "user"),
  ),
  attack("send by UDP", trace(/udp port/), (kernel, at) =>
    send(kernel, FAMILY.inet, inetAddress(at.udpPort)),
  ),
  attack("send several at once by UDP", trace(/udp port/), (kernel, at) => {
    const socket = kernel.call("socket", FAMILY.inet, DATAGRAM, 0);
    const message = new BigUint64Array(8);
    message.set(messageHead(kernel, Buffer.from("x"), inetAddress(at.udpPort)));
    kernel.call("sendmmsg", socket, message, 1, 0);
  }),
  attack("ask a name server", trace(/udp port/), (kernel, at) => {
    const address = inetAddress(at.udpPort);
    const question = Buffer.from("\0\x01\x01\0\0\x01\0\0\0\0\0\0\x06canary\x04test\0\0\x01\0\x01", "latin1");
    const socket = kernel.call("socket", FAMILY.inet, DATAGRAM, 0);
    kernel.call("sendto", socket, question, question.length, 0, address, address.length);
  }),
  attack(
    "listen on a TCP port",
    trace(/listens/),
    (kernel, at) => {
      const socket = kernel.call("socket", FAMILY.inet, STREAM, 0);
      const address = inetAddress(at.freePort, true);
      kernel.call("bind", socket, address, address.length);
      kernel.call("listen", socket, 8);
    },
    { spent: true },
  ),
  attack(
    "listen on a socket in the file system",
    trace(/new .*appeared/),
    (kernel, at) => {
      const socket = kernel.call("socket", FAMILY.unix, STREAM, 0);
      const address = unixAddress(at.newFile);
      kernel.call("bind", socket, address, address.length);
    },
    { spent: true },
  ),
  attack(
    "listen on an abstract socket",
    trace(/listens/),
    (kernel, at) => {
      const socket = kernel.call("socket", FAMILY.unix, STREAM, 0);
      const address = abstractAddress(at.marker);
      kernel.call("bind", socket, address, address.length);
      kernel.call("listen", socket, 8);
    },
    { spent: true },
  ),
  attack("send raw packets", ANSWER, (kernel) => kernel.call("socket", FAMILY.inet, RAW, 1), {
    needs: "root",
  }),
  attack("send raw packets over IPv6", ANSWER, (kernel) => kernel.call("socket", FAMILY.inet6, RAW, 58), {
    needs: "root",
  }),
  attack(
    "hear what passes on the network",
    ANSWER,
    (kernel) => kernel.call("socket", FAMILY.packet, RAW, 0x300),
    {
      needs: "root",
    },
  ),
  attack("ask the kernel for its network by netlink", ANSWER, (kernel) => {
    const socket = kernel.call("socket", FAMILY.netlink, RAW, 0);
    const [getLinks, dump] = [18, 0x301];
    const request = new Uint8Array(32);
    const view = new DataView(request.buffer);
    view.setUint32(0, 32, true);
    view.setUint16(4, getLinks, true);
    view.setUint16(6, dump, true);
    kernel.call("sendto", socket, request, 32, 0, 0, 0);
    return kernel.call("recvfrom", socket, new Uint8Array(8192), 8192, 0, 0, 0);
  }),
  ...(
    [
      ["generic", 16],
      ["of sockets", 4],
      ["of devices", 15],
      ["of the audit", 9],
    ] as const
  ).map(([what, protocol]) =>
    attack(
      `open the netlink ${what}`,
      ANSWER,
      (kernel) => kernel.call("socket", FAMILY.netlink, RAW, protocol),
      reaches(["EPROTONOSUPPORT"], "kernels may be built without it", "user"),
    ),
  ),
  attack(
    "reach the machine's host by vsock",
    ANSWER,
    (kernel) => kernel.call("socket", FAMILY.vsock, STREAM, 0),
    reaches(["EAFNOSUPPORT", "ENODEV"], "kernels may be built without it", "user"),
  ),
  attack(
    "use the kernel's ciphers",
    ANSWER,
    (kernel) => kernel.call("socket", FAMILY.alg, 5, 0),
    reaches(["EAFNOSUPPORT"], "kernels may be built without it", "user"),
  ),
  attack("make a socket of any family at all", ANSWER, (kernel) => {
    const got: string[] = [];
    const refusals = new Set<string>();
    for (let family = 0; family < 64; family++) {
      for (const type of [STREAM, DATAGRAM, RAW, 4, 5, 6, 10]) {
        try {
          kernel.call("close", kernel.call("socket", family, type, 0));
          got.push(`family ${family} type ${type}`);
        } catch (error) {
          if (!(error instanceof Refused)) throw error;
          refusals.add(error.code);
        }
      }
    }
    if (got.length === 0) throw new Refused([...refusals].toSorted().join(" "), "socket");
    return got;
  }),
  attack(
    "make a pair of sockets",
    ANSWER,
    (kernel) => `answered ${kernel.call("socketpair", FAMILY.unix, STREAM, 0, new Int32Array(2))}`,
  ),
];

// --- internal ---

function connect(kernel: Kernel, family: number, type: number, address: Uint8Array): void {
  kernel.call("connect", kernel.call("socket", family, type, 0), address, address.length);
}

function send(kernel: Kernel, family: number, address: Uint8Array): void {
  kernel.call("sendto", kernel.call("socket", family, DATAGRAM, 0), "x", 1, 0, address, address.length);
}
