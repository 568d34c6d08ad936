/** Signals to the daemon by every call that sends one, and by what makes the kernel send one. */
import { ANSWER, attack, trace, type NativeAttack } from "../attack.ts";
import { SIGNAL } from "../flags.ts";
import type { Kernel } from "../kernel.ts";

const signalled = trace(/signal/);

export const SIGNALS: readonly NativeAttack[] = [
  attack("kill the daemon", trace(/daemon.*SIGKILL/), (kernel, at) =>
    kernel.call("kill", at.daemonPid, SIGNAL.kill),
  ),
  attack(
    "ask by a signal whether the daemon lives",
    ANSWER,
    (kernel, at) => `answered ${kernel.call("kill", at.daemonPid, 0)}`,
  ),
  attack("signal the daemon", signalled, (kernel, at) => kernel.call("kill", at.daemonPid, SIGNAL.user1)),
  attack("tkill the daemon", signalled, (kernel, at) => kernel.call("tkill", at.daemonPid, SIGNAL.user1)),
  attack("tgkill the daemon", signalled, (kernel, at) =>
    kernel.call("tgkill", at.daemonPid, at.daemonPid, SIGNAL.user1),
  ),
  attack("queue a signal for the daemon", signalled, (kernel, at) =>
    kernel.call("rt_sigqueueinfo", at.daemonPid, SIGNAL.user1, queued(kernel)),
  ),
  attack("queue a signal for the daemon's thread", signalled, (kernel, at) =>
    kernel.call("rt_tgsigqueueinfo", at.daemonPid, at.daemonPid, SIGNAL.user1, queued(kernel)),
  ),
  attack("signal the daemon by a pidfd", signalled, (kernel, at) =>
    kernel.call("pidfd_send_signal", kernel.call("pidfd_open", at.daemonPid, 0), SIGNAL.user1, 0, 0),
  ),
  attack("signal the daemon's process group", trace(/daemon.*SIGKILL|signal/), (kernel, at) =>
    kernel.call("kill", -at.daemonPid, SIGNAL.user1),
  ),
  attack("signal every process", ANSWER, (kernel) => `answered ${kernel.call("kill", -1, 0)}`),
  attack(
    "have the kernel signal the daemon when there is something to read",
    signalled,
    (kernel, at) => {
      const [setOwner, setSignal, setFlags, asynchronous] = [8, 10, 4, 0o20000];
      kernel.call("fcntl", 3, setOwner, at.daemonPid);
      kernel.call("fcntl", 3, setSignal, SIGNAL.user1);
      kernel.call("fcntl", 3, setFlags, asynchronous);
      // Where that was allowed, the same with a pipe, which can be filled at once.
      const ends = new Int32Array(2);
      kernel.call("pipe2", ends, 0);
      const [from = 0, to = 0] = ends;
      kernel.call("fcntl", from, setOwner, at.daemonPid);
      kernel.call("fcntl", from, setSignal, SIGNAL.user1);
      kernel.call("fcntl", from, setFlags, asynchronous);
      kernel.call("write", to, "x", 1);
    },
    { spent: true },
  ),
  attack(
    "name the daemon as the owner of a socket by ioctl",
    ANSWER,
    (kernel, at) => {
      const setOwner = 0x8901;
      return `answered ${kernel.call("ioctl", 3, setOwner, new Int32Array([at.daemonPid]))}`;
    },
    { spent: true },
  ),
];

// --- internal ---

/** siginfo_t of a signal that sigqueue sent. */
function queued(kernel: Kernel): Uint8Array {
  const queue = -1;
  const information = new Uint8Array(128);
  const view = new DataView(information.buffer);
  view.setInt32(0, SIGNAL.user1, true);
  view.setInt32(8, queue, true);
  view.setInt32(16, kernel.call("getpid"), true);
  return information;
}
