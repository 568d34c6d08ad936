/** Making processes and running programs: every call that forks, every way to execute something else. */
import { ABSENT, ANSWER, attack, reaches, trace, type NativeAttack } from "../attack.ts";
import { CLONE, EMPTY_PATH, FROM_HERE, OPEN, SIGNAL } from "../flags.ts";
import type { Kernel } from "../kernel.ts";

const appeared = trace(/process .*appeared/);
const ran = trace(/new .*appeared/);

export const NEW_PROCESSES: readonly NativeAttack[] = [
  attack("fork", appeared, (kernel) => kernel.fork("fork"), { needs: "x86-64" }),
  attack("vfork", appeared, (kernel) => kernel.fork("vfork"), { needs: "x86-64" }),
  attack("clone a process", appeared, (kernel) => kernel.fork("clone", SIGNAL.child, 0, 0, 0, 0)),
  attack("clone a process that shares the memory", appeared, (kernel) =>
    kernel.fork("clone", CLONE.memory | CLONE.vfork | SIGNAL.child, 0, 0, 0, 0),
  ),
  attack("clone a process as the daemon's child", appeared, (kernel) =>
    kernel.fork("clone", CLONE.parent | SIGNAL.child, 0, 0, 0, 0),
  ),
  attack("clone a process with the flags of a thread in the upper half", appeared, (kernel) =>
    kernel.fork("clone", (0x3d0f00n << 32n) | BigInt(SIGNAL.child), 0, 0, 0, 0),
  ),
  attack(
    "clone3 a process",
    appeared,
    (kernel) => {
      const request = new BigUint64Array(11);
      request[4] = BigInt(SIGNAL.child);
      kernel.fork("clone3", request, request.byteLength);
    },
    { refusals: ABSENT },
  ),
  attack(
    "clone a process in a user namespace",
    ANSWER,
    (kernel) => kernel.fork("clone", CLONE.user | SIGNAL.child, 0, 0, 0, 0),
    { needs: "root" },
  ),
  attack(
    "clone a thread in a network of its own",
    ANSWER,
    (kernel) => {
      const stack = new Uint8Array(64 * 1024);
      const flags = CLONE.memory | CLONE.files | CLONE.signals | CLONE.thread | CLONE.net;
      return kernel.thread("clone", flags, kernel.address(stack) + BigInt(stack.length - 64), 0, 0, 0);
    },
    { needs: "root" },
  ),
  attack("execute a shell", ran, (kernel, at) =>
    execute(kernel, "/bin/sh", ["sh", "-c", `: > ${at.newFile}`]),
  ),
  attack("execute the program itself", ran, (kernel, at) =>
    execute(kernel, "/proc/self/exe", [at.program, "__touch", at.newFile]),
  ),
  attack("execute the program itself as a plain Bun", ran, (kernel, at) => {
    const script = `require("fs").writeFileSync(${JSON.stringify(at.newFile)}, "")`;
    execute(kernel, "/proc/self/exe", ["bun", "-e", script], ["BUN_BE_BUN=1"]);
  }),
  attack("execveat a shell", ran, (kernel, at) => {
    const [words, environment] = [wordList(kernel, ["sh", "-c", `: > ${at.newFile}`]), wordList(kernel, [])];
    kernel.call("execveat", FROM_HERE, "/bin/sh", words, environment, 0);
  }),
  attack("execute a program in memory without a file", ran, (kernel, at) => {
    const script = `#!/bin/sh\n: > ${at.newFile}\n`;
    const memory = kernel.call("memfd_create", "program", 0);
    kernel.call("write", memory, script, script.length);
    kernel.call("execveat", memory, "", wordList(kernel, ["program"]), wordList(kernel, []), EMPTY_PATH);
  }),
  attack(
    "execute a descriptor",
    ANSWER,
    (kernel) => kernel.call("execveat", 3, "", wordList(kernel, ["x"]), wordList(kernel, []), EMPTY_PATH),
    reaches(["EACCES"], "its descriptors are no programs", "user"),
  ),
  attack("execute a file that it wrote", ran, (kernel, at) => {
    const script = `#!/bin/sh\n: > ${at.newFile}\n`;
    const path = `${at.folder}/program`;
    const file = kernel.call("openat", FROM_HERE, path, OPEN.write | OPEN.create, 0o700);
    kernel.call("write", file, script, script.length);
    kernel.call("close", file);
    execute(kernel, path, [path]);
  }),
  attack(
    "load a library from a file",
    ANSWER,
    (kernel) => kernel.call("uselib", "/lib/x86_64-linux-gnu/libm.so.6"),
    reaches(["ENOSYS", "ENOEXEC"], "kernels are built without it", "x86-64"),
  ),
];

// --- internal ---

function execute(
  kernel: Kernel,
  path: string,
  words: readonly string[],
  environment: readonly string[] = [],
): void {
  kernel.call("execve", path, wordList(kernel, words), wordList(kernel, environment));
}

/** char *const[] */
function wordList(kernel: Kernel, words: readonly string[]): BigUint64Array {
  return new BigUint64Array([...words.map((word) => kernel.address(Buffer.from(`${word}\0`))), 0n]);
}
