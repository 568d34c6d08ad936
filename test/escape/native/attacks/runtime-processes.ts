/** Programs, libraries, threads, signals and the rest of the system by the runtime's own modules. */
import { ANSWER, SECRET, trace, type NativeAttack } from "../attack.ts";
import { Refused } from "../errors.ts";
import { bun, js, node, SAYS_NO } from "../runtime.ts";

const made = trace(/new .*appeared/);

export const RUNTIME_PROCESSES: readonly NativeAttack[] = [
  js("spawn by Bun", made, async (at) => (await bun()).spawnSync(["/usr/bin/touch", at.newFile])),
  js("spawn a shell by Bun", made, async (at) => await (await bun()).$`touch ${at.newFile}`),
  js("spawn by node:child_process", made, async (at) =>
    failIf((await node("child_process")).spawnSync("/usr/bin/touch", [at.newFile]).error),
  ),
  js("run a command", made, async (at) => (await node("child_process")).execSync(`touch ${at.newFile}`)),
  js(
    "load a library",
    ANSWER,
    async () => {
      const { dlopen } = (await import(["bun", "ffi"].join(":"))) as typeof import("bun:ffi");
      return dlopen("libresolv.so.2", { ns_name_ntop: { returns: "int", args: [] } }).symbols.ns_name_ntop
        .name;
    },
    { needs: "glibc", refusals: ["ERR_DLOPEN_FAILED"] },
  ),
  js("compile C", ANSWER, async (at) => {
    const { cc } = (await import(["bun", "ffi"].join(":"))) as typeof import("bun:ffi");
    (await node("fs")).writeFileSync(at.newFile, "int one(void) { return 1; }");
    return cc({ source: at.newFile, symbols: { one: { returns: "int" } } }).symbols.one();
  }),
  js(
    "load a native module",
    ANSWER,
    async (at) => {
      const process = (await node("process")).default;
      process.dlopen({ exports: {} }, at.canaryFile);
    },
    {
      control: {
        ends: "reaches",
        errors: ["ERR_DLOPEN_FAILED"],
        needs: "user",
        reason: "the canary is no library",
      },
      refusals: ["ERR_DLOPEN_FAILED"],
    },
  ),
  js("signal the daemon", trace(/signal/), async (at) => {
    (await node("process")).default.kill(at.daemonPid, "SIGUSR1");
  }),
  js(
    "slow the daemon down",
    trace(/priority.*was/),
    async (at) => (await node("os")).setPriority(at.daemonPid, 10),
    { refusals: ["ERR_SYSTEM_ERROR"] },
  ),
  js(
    "change the folder",
    ANSWER,
    async (at) => {
      (await node("process")).default.chdir(at.folder);
      return "changed";
    },
    { spent: true },
  ),
  js("ask who the user is", ANSWER, async () => (await node("os")).userInfo().homedir),
  js("read a file in a Worker", SECRET, async (at) => {
    const { Worker } = await node("worker_threads");
    const path = JSON.stringify(at.secretFile);
    const source = `postMessage(await Bun.file(${path}).text().catch((error) => ({ code: error.code })))`;
    const worker = new Worker(source, { eval: true });
    const answer = await new Promise<string | { readonly code: string }>((resolve, reject) => {
      worker.on("message", resolve);
      worker.on("error", reject);
    });
    await worker.terminate();
    if (typeof answer === "string") return answer;
    throw new Refused(answer.code, "in a Worker");
  }),
  js(
    "open the inspector",
    trace(/listens/),
    async (at) => {
      (await node("inspector")).open(at.freePort, "127.0.0.1");
      throw new Refused("nothing", "it does not say whether it listens");
    },
    { ...SAYS_NO, spent: true },
  ),
];

// --- internal ---

function failIf(error: unknown): void {
  if (error !== undefined) throw error;
}
