/** What only the machine's owner may do: modules, kernels, swap, clocks, names, hardware. */
import { ANSWER, attack, fails, reaches, type NativeAttack } from "../attack.ts";
import { CLONE } from "../flags.ts";

const buffer = () => new Uint8Array(512);
const done = (answer: number) => `answered ${answer}`;

export const MACHINE: readonly NativeAttack[] = [
  attack(
    "load a module from memory",
    ANSWER,
    (kernel) => kernel.call("init_module", buffer(), 8, ""),
    reaches(["ENOEXEC", "ENOSYS"], "the kernel may have none, and it would stay in the kernel"),
  ),
  attack(
    "load a module from a file",
    ANSWER,
    (kernel) => kernel.call("finit_module", -1, "", 0),
    reaches(["EBADF", "ENOSYS"], "it would stay in the kernel"),
  ),
  attack(
    "unload a module",
    ANSWER,
    (kernel) => kernel.call("delete_module", "no_such_module", 0),
    reaches(["ENOENT", "ENOSYS", "EBUSY"], "the machine needs its modules"),
  ),
  attack(
    "load another kernel",
    ANSWER,
    (kernel) => kernel.call("kexec_load", 0, 999, 0, 0),
    reaches(["EINVAL", "ENOSYS"], "the machine would start it"),
  ),
  attack(
    "load another kernel from a file",
    ANSWER,
    (kernel) => kernel.call("kexec_file_load", -1, -1, 0, 0, 0),
    reaches(["EBADF", "ENOSYS", "EINVAL"], "the machine would start it"),
  ),
  attack(
    "restart the machine",
    ANSWER,
    (kernel) => kernel.call("reboot", 1, 2, 3, 0),
    reaches(["EINVAL"], "it would restart"),
  ),
  attack(
    "use a file as swap",
    ANSWER,
    (kernel, at) => kernel.call("swapon", at.newFile, 0),
    reaches(["ENOENT"], "it would page everybody's memory there"),
  ),
  attack(
    "stop using swap",
    ANSWER,
    (kernel, at) => kernel.call("swapoff", at.newFile),
    reaches(["ENOENT", "EINVAL"], "it would slow the machine down"),
  ),
  attack(
    "account every process into a file",
    ANSWER,
    (kernel, at) => kernel.call("acct", at.newFile),
    reaches(["ENOENT"], "it would write down every process of this machine"),
  ),
  attack(
    "set the clock",
    ANSWER,
    (kernel) => kernel.call("clock_settime", 0, new BigInt64Array([0n, -1n])),
    reaches(["EINVAL"], "everybody would see it"),
  ),
  attack(
    "set the time of day",
    ANSWER,
    (kernel) => kernel.call("settimeofday", new BigInt64Array([0n, -1n]), 0),
    reaches(["EINVAL"], "everybody would see it"),
  ),
  attack("read how the clock is kept", ANSWER, (kernel) => done(kernel.call("adjtimex", buffer()))),
  attack("steer the clock", ANSWER, (kernel) => done(kernel.call("clock_adjtime", 0, buffer()))),
  attack("read the kernel's log", ANSWER, (kernel) => done(kernel.call("syslog", 10, 0, 0)), {
    needs: "root",
  }),
  attack(
    "name the machine",
    ANSWER,
    (kernel) => {
      kernel.call("unshare", CLONE.hostname);
      return done(kernel.call("sethostname", "canary", 6));
    },
    { needs: "root" },
  ),
  attack(
    "name the machine without a namespace",
    ANSWER,
    (kernel) => kernel.call("sethostname", "x", 1 << 20),
    reaches(["EINVAL"], "everybody would see it"),
  ),
  attack(
    "name the machine's domain",
    ANSWER,
    (kernel) => kernel.call("setdomainname", "x", 1 << 20),
    reaches(["EINVAL"], "everybody would see it"),
  ),
  attack(
    "reach the ports of the hardware",
    ANSWER,
    (kernel) => done(kernel.call("ioperm", 0x80, 1, 1)),
    reaches(["ENOSYS"], "kernels may be built without it", "x86-64-root"),
  ),
  attack(
    "reach all ports of the hardware",
    ANSWER,
    (kernel) => done(kernel.call("iopl", 3)),
    reaches(["ENOSYS"], "kernels may be built without it", "x86-64-root"),
  ),
  attack(
    "hang up every terminal",
    ANSWER,
    (kernel) => kernel.call("vhangup"),
    fails("its answer is 0 where it works, and it would end the terminal of whoever tests"),
  ),
  attack("write back everything that waits", ANSWER, (kernel) => done(kernel.call("sync"))),
];
