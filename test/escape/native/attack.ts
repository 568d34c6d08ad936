/**
 * The form of a native attack: what a process that runs hostile code does to the kernel, or to Bun, to get more than its socket.
 * Pure data and functions of what they are given, so that any runner can drive it: a sealed process, the same without the seal, or
 * a hostile plugin in the daemon's own room.
 */
import type { Kernel } from "./kernel.ts";

export interface NativeAttack {
  readonly name: string;
  /** Runs in the attacking process. Gives what it got, undefined where that shows outside only; throws where it was refused. */
  readonly run: (kernel: Kernel, at: Places) => unknown;
  readonly proof: Proof;
  /** The errors with which the kernel may refuse it, by name. */
  readonly refusals: readonly string[];
  readonly control: Control;
  /** Where the bundler's process, which may list one folder, answers otherwise. */
  readonly bundler: BundlerAnswer | undefined;
  /** True where its process is another afterwards, so that the next attack needs a new one. */
  readonly spent: boolean;
  /** True where that holds for a confined one, too. */
  readonly wastes: boolean;
}

export interface BundlerAnswer {
  readonly refusals: readonly string[];
  /** All that it may get there, which is no harm. */
  readonly may?: RegExp;
}

/** What shows that an attack worked. */
export type Proof =
  /** The secret of the stand-in daemon is in what it got. */
  | { readonly by: "secret" }
  /** It got anything: a descriptor, a number, a list. */
  | { readonly by: "answer" }
  /** The scene changed; one of the changes, in words, matches. */
  | { readonly by: "trace"; readonly of: RegExp };

/** How the same attack ends in the same executable where nothing confines it. */
export type Control =
  /** It works, given what it needs. */
  | {
      readonly ends: "works";
      readonly needs: Needs;
      /** Only in a process that was started without a thought, with its parent's environment and descriptors. */
      readonly careless?: boolean;
    }
  /** It passes the place where the confined one is refused, and fails at its own arguments: to let it work would harm the machine. */
  | {
      readonly ends: "reaches";
      readonly errors: readonly string[];
      readonly needs: Needs;
      readonly reason: string;
    }
  /** It can't work here, confined or not. */
  | { readonly ends: "fails"; readonly reason: string };

/** `user`: anybody. `root`: root with all its capabilities, not in a container. The others: what the machine may lack. */
export type Needs =
  | "user"
  | "root"
  | "ipv6"
  | "x86-64"
  | "x86-64-root"
  | "xattr"
  | "cores"
  | "glibc"
  | "docker";

/** Where things are that attackers want; made by the stand-in daemon. */
export interface Places {
  readonly daemonPid: number;
  /** Where in the daemon's memory the secret stands, and how many bytes it has. */
  readonly memoryAddress: string;
  readonly memoryBytes: number;
  /** A descriptor of the daemon's on the secret file. */
  readonly secretDescriptor: number;
  readonly folder: string;
  readonly secretFile: string;
  /** A symbolic link that points to the secret itself. */
  readonly secretLink: string;
  /** A file that must stay as it is. */
  readonly canaryFile: string;
  /** A path at which nothing is and nothing must come to be. */
  readonly newFile: string;
  readonly emptyFolder: string;
  readonly streamSocket: string;
  readonly datagramSocket: string;
  readonly abstractName: string;
  readonly tcpPort: number;
  readonly tcp6Port: number;
  readonly udpPort: number;
  /** A port on which nobody listens. */
  readonly freePort: number;
  /** A number by which nobody has shared memory, semaphores or queues. */
  readonly ipcKey: number;
  /** A word that is nowhere else on this machine. */
  readonly marker: string;
  /** The executable itself. */
  readonly program: string;
}

export interface AttackOptions {
  readonly refusals?: readonly string[];
  readonly needs?: Needs;
  readonly control?: Control;
  readonly spent?: boolean;
  readonly wastes?: boolean;
  readonly bundler?: BundlerAnswer;
}

/** How the filter refuses what no rule lets through. */
export const REFUSED: readonly string[] = ["EPERM"];
/** How Landlock refuses what the bundler's filter lets through. */
export const ELSEWHERE = { bundler: { refusals: ["EACCES"] } } as const;
/** And what is newer than its table, or must look as on an older kernel. */
export const ABSENT: readonly string[] = ["ENOSYS"];

export const SECRET: Proof = { by: "secret" };
export const ANSWER: Proof = { by: "answer" };
export const trace = (of: RegExp): Proof => ({ by: "trace", of });

export function attack(
  name: string,
  proof: Proof,
  run: NativeAttack["run"],
  {
    refusals = REFUSED,
    needs = "user",
    control = { ends: "works", needs },
    wastes = false,
    spent = wastes,
    bundler,
  }: AttackOptions = {},
): NativeAttack {
  return { name, proof, run, refusals, control, spent, wastes, bundler };
}

/** A control that ends at the attack's own bad arguments, or works. */
export function reaches(errors: readonly string[], reason: string, needs: Needs = "root"): AttackOptions {
  return { control: { ends: "reaches", errors, needs, reason } };
}

/** Attacks after which their process is another. */
export function spending(attacks: readonly NativeAttack[]): readonly NativeAttack[] {
  return attacks.map((one) => ({ ...one, spent: true }));
}

/** A control that can't work. */
export function fails(reason: string): AttackOptions {
  return { control: { ends: "fails", reason } };
}
