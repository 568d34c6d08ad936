/** What a process might have been left with by those before it: descriptors and environment. */
import { ANSWER, attack, SECRET, type NativeAttack } from "../attack.ts";
import { Refused } from "../errors.ts";
import { FROM_HERE, OPEN } from "../flags.ts";
import type { Kernel } from "../kernel.ts";

const careless = { control: { ends: "works", needs: "user", careless: true } } as const;
const NOTHING = ["nothing"];
const FIRST_OF_OTHERS = 4;
const DESCRIPTORS = 1024;

export const INHERITED: readonly NativeAttack[] = [
  attack("find a descriptor of a file, a folder, a pipe or another socket", ANSWER, findDescriptors, {
    ...careless,
    refusals: NOTHING,
  }),
  attack("read every descriptor that it has", SECRET, readDescriptors, { ...careless, refusals: NOTHING }),
  attack("find the secret in its environment", SECRET, environment, { ...careless, refusals: NOTHING }),
  attack(
    "read the environment that it was started with, in /proc",
    SECRET,
    (kernel) => kernel.readAll(kernel.call("openat", FROM_HERE, "/proc/self/environ", OPEN.read)),
    careless,
  ),
];

// --- internal ---

/** Of the runtime's own: kernel objects without a type (epoll, timers, events) and /dev/null. */
function findDescriptors(kernel: Kernel): string[] {
  const [anonymous, characterDevice] = [0, 0o020000];
  const found = descriptorTypes(kernel).filter(
    ([descriptor, type]) => descriptor >= FIRST_OF_OTHERS && type !== anonymous && type !== characterDevice,
  );
  if (found.length === 0) throw new Refused("nothing", "no descriptor but its own");
  return found.map(([descriptor, type]) => `${descriptor}: type ${type.toString(8)}`);
}

function readDescriptors(kernel: Kernel): string {
  const regularFile = 0o100000;
  for (const [descriptor, type] of descriptorTypes(kernel)) {
    if (type !== regularFile) continue;
    const bytes = new Uint8Array(200);
    kernel.call("lseek", descriptor, 0, 0);
    return Buffer.from(bytes.subarray(0, kernel.call("read", descriptor, bytes, 200))).toString("latin1");
  }
  throw new Refused("nothing", "no descriptor is a file");
}

function descriptorTypes(kernel: Kernel): (readonly [descriptor: number, type: number])[] {
  const modeOffset = process.arch === "arm64" ? 16 : 24;
  return Array.from({ length: DESCRIPTORS }, (_, descriptor) => descriptor).flatMap((descriptor) => {
    const status = new Uint8Array(256);
    try {
      kernel.call("fstat", descriptor, status);
    } catch {
      return [];
    }
    const mode = new DataView(status.buffer).getUint32(modeOffset, true);
    return [[descriptor, mode & 0o170000] as const];
  });
}

async function environment(): Promise<string> {
  const { default: process } = (await import(["node", "process"].join(":"))) as {
    readonly default: NodeJS.Process;
  };
  const text = JSON.stringify(process.env);
  if (!text.includes("secret-")) throw new Refused("nothing", "no secret in it");
  return text;
}
