/** Becoming somebody else: users, groups and capabilities. */
import { ANSWER, attack, type NativeAttack } from "../attack.ts";

const done = (answer: number) => `answered ${answer}`;
const root = { needs: "root" } as const;
const PRCTL = {
  keepCapabilities: 8,
  dropFromBounding: 24,
  secureBits: 28,
  ambient: 47,
} as const;

export const IDENTITY: readonly NativeAttack[] = [
  ...(
    [
      ["setuid", [0]],
      ["setgid", [0]],
      ["setreuid", [0, 0]],
      ["setregid", [0, 0]],
      ["setresuid", [0, 0, 0]],
      ["setresgid", [0, 0, 0]],
      ["setfsuid", [0]],
      ["setfsgid", [0]],
    ] as const
  ).map(([name, args]) =>
    attack(`become root by ${name}`, ANSWER, (kernel) => done(kernel.call(name, ...args)), root),
  ),
  attack(
    "join another group",
    ANSWER,
    (kernel) => done(kernel.call("setgroups", 1, new Uint32Array([0]))),
    root,
  ),
  attack(
    "take capabilities",
    ANSWER,
    (kernel) => {
      const version3 = 0x20080522;
      const sets = new Uint32Array([1, 1, 0, 0, 0, 0]);
      return done(kernel.call("capset", new Uint32Array([version3, 0]), sets));
    },
    root,
  ),
  attack("ask for the daemon's capabilities", ANSWER, (kernel, at) => {
    const version3 = 0x20080522;
    return done(kernel.call("capget", new Uint32Array([version3, at.daemonPid]), new Uint32Array(6)));
  }),
  attack("keep capabilities over a change of user", ANSWER, (kernel) =>
    done(kernel.call("prctl", PRCTL.keepCapabilities, 1, 0, 0, 0)),
  ),
  attack(
    "change what root means",
    ANSWER,
    (kernel) => done(kernel.call("prctl", PRCTL.secureBits, 0, 0, 0, 0)),
    root,
  ),
  attack("raise a capability for what it executes", ANSWER, (kernel) =>
    done(kernel.call("prctl", PRCTL.ambient, 4, 0, 0, 0)),
  ),
  attack(
    "drop from the bounding set",
    ANSWER,
    (kernel) => done(kernel.call("prctl", PRCTL.dropFromBounding, 1, 0, 0, 0)),
    root,
  ),
  attack("let files that it makes be written by everybody", ANSWER, (kernel) =>
    done(kernel.call("umask", 0)),
  ),
];
