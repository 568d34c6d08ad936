/** Everything that its one socket could be made to do beyond reading and writing. */
import { abstractAddress, unixAddress } from "../addresses.ts";
import { ANSWER, attack, reaches, type NativeAttack } from "../attack.ts";
import { messageHead } from "../vectors.ts";

const SOCKET_LEVEL = 1;
/** The one that every confined process has. */
const OWN = 3;

export const OWN_SOCKET: readonly NativeAttack[] = [
  attack(
    "accept on its own socket",
    ANSWER,
    (kernel) => kernel.call("accept", OWN, 0, 0),
    reaches(["EINVAL"], "nobody connects to it", "user"),
  ),
  attack(
    "accept4 on its own socket",
    ANSWER,
    (kernel) => kernel.call("accept4", OWN, 0, 0, 0),
    reaches(["EINVAL"], "nobody connects to it", "user"),
  ),
  attack(
    "connect its own socket elsewhere",
    ANSWER,
    (kernel, at) => {
      const address = unixAddress(at.streamSocket);
      return kernel.call("connect", OWN, address, address.length);
    },
    reaches(["EISCONN"], "it is connected", "user"),
  ),
  attack("give its own socket a name", ANSWER, (kernel, at) => {
    const address = abstractAddress(at.marker);
    return `answered ${kernel.call("bind", OWN, address, address.length)}`;
  }),
  attack(
    "listen on its own socket",
    ANSWER,
    (kernel) => kernel.call("listen", OWN, 8),
    reaches(["EINVAL"], "it is connected", "user"),
  ),
  attack(
    "pass a descriptor to the daemon",
    ANSWER,
    (kernel) => {
      const data = Buffer.from("\0\0\0\0", "latin1");
      const control = new Uint8Array(24);
      const view = new DataView(control.buffer);
      const rights = 1;
      view.setBigUint64(0, 20n, true);
      view.setInt32(8, SOCKET_LEVEL, true);
      view.setInt32(12, rights, true);
      view.setInt32(16, 0, true);
      const head = messageHead(kernel, data);
      head.set([kernel.address(control), BigInt(control.length)], 4);
      return kernel.call("sendmsg", OWN, head, 0);
    },
    { spent: true },
  ),
  attack(
    "receive with what comes beside the data",
    ANSWER,
    (kernel) => {
      const dontWait = 0x40;
      return kernel.call("recvmsg", OWN, messageHead(kernel, Buffer.alloc(8)), dontWait);
    },
    reaches(["EAGAIN"], "the daemon sends nothing beside the data", "user"),
  ),
  attack(
    "send out of band",
    ANSWER,
    (kernel) => kernel.call("sendto", OWN, "x", 1, 1, 0, 0),
    reaches(["EOPNOTSUPP"], "the kernel has it since 5.15", "user"),
  ),
  attack(
    "send with an address that is too long",
    ANSWER,
    (kernel) => kernel.call("sendto", OWN, "x", 1, 0, new Uint8Array(128), 128),
    reaches(["EISCONN", "EOPNOTSUPP", "EINVAL"], "its socket is connected", "user"),
  ),
  attack(
    "get a handle of the daemon from its own socket",
    ANSWER,
    (kernel) => {
      const [peerPidfd, size] = [77, new Uint32Array([4])];
      kernel.call("getsockopt", OWN, SOCKET_LEVEL, peerPidfd, new Int32Array(1), size);
      return "a pidfd";
    },
    {
      control: {
        ends: "reaches",
        errors: ["ENOPROTOOPT"],
        needs: "user",
        reason: "the kernel has it since 6.5",
      },
    },
  ),
  attack("ask its own socket who the daemon is", ANSWER, (kernel) => {
    const credentials = new Int32Array(3);
    kernel.call("getsockopt", OWN, SOCKET_LEVEL, 17, credentials, new Uint32Array([12]));
    return [...credentials];
  }),
  attack("load a program into its own socket", ANSWER, (kernel) => {
    const [attachFilter, acceptAll] = [26, new Uint8Array([0x06, 0, 0, 0, 0xff, 0xff, 0xff, 0xff])];
    const program = new BigUint64Array([1n, kernel.address(acceptAll)]);
    return `answered ${kernel.call("setsockopt", OWN, SOCKET_LEVEL, attachFilter, program, 16)}`;
  }),
  attack(
    "make its own socket's buffer as large as it likes",
    ANSWER,
    (kernel) => `answered ${kernel.call("setsockopt", OWN, SOCKET_LEVEL, 7, new Int32Array([1 << 28]), 4)}`,
  ),
  attack("list the network's interfaces through its own socket", ANSWER, (kernel) => {
    const getInterfaces = 0x8912;
    const list = new Uint8Array(1024);
    const request = new BigUint64Array([BigInt(list.length), kernel.address(list)]);
    return `answered ${kernel.call("ioctl", OWN, getInterfaces, request)}`;
  }),
  attack(
    "switch an interface through its own socket",
    ANSWER,
    (kernel) => {
      const [setFlags, name] = [0x8914, new Uint8Array(40)];
      name.set(Buffer.from("nothing0"));
      return kernel.call("ioctl", OWN, setFlags, name);
    },
    reaches(["ENODEV"], "it would cut this machine off"),
  ),
  attack(
    "name its own socket",
    ANSWER,
    (kernel) => `answered ${kernel.call("getsockname", OWN, new Uint8Array(128), new Uint32Array([128]))}`,
  ),
  attack(
    "copy its own socket's data inside the kernel",
    ANSWER,
    (kernel) => kernel.call("splice", OWN, 0, 1, 0, 10, 2),
    reaches(["EINVAL", "EAGAIN"], "it has no pipe", "user"),
  ),
  attack(
    "send a file through its own socket",
    ANSWER,
    (kernel) => kernel.call("sendfile", OWN, 0, 0, 10),
    reaches(["EINVAL"], "it has no file open", "user"),
  ),
];
