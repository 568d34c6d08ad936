/** The reference providers of plugins/ as the daemon calls them, and what tests have to know of the two tools behind them. */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { systemClock } from "../src/base/clock.ts";
import { executableEnvironment } from "../src/host/runtimes/exec/environment.ts";
import { makeExchange, type Executable } from "../src/host/runtimes/exec/exchange.ts";
import { ensureTestImage } from "./fixtures/docker-image.ts";

export type Tool = "podman" | "lxc";
export type Params = Readonly<Record<string, unknown>>;

const exchange = makeExchange(systemClock);

export function executableIn(folder: string, entrypoint = "provider.py", plugin = "sample"): Executable {
  // Without this process's PATH: another Python than the machine's own may stand first there.
  const { HOME } = process.env;
  return { plugin, folder, entrypoint, env: executableEnvironment({ HOME }) };
}

/** One action; rejects as the daemon's call does. */
export async function call(
  executable: Executable,
  action: string,
  params: Params,
  options: { readonly signal?: AbortSignal; readonly said?: (line: string) => void } = {},
): Promise<unknown> {
  return await exchange(executable, { action, params, id: "1", deadlineMs: 60_000 }, options);
}

/** A provider with the containers that a test makes; they go away with it: `await using provider = …`. */
export function openProvider(tool: Tool) {
  const folder = join(import.meta.dir, "../plugins", tool);
  const executable = executableIn(folder, "provider.py", tool);
  const names = new Set<string>();
  const ask = (action: string, params: Params, options?: Parameters<typeof call>[3]) =>
    call(executable, action, params, options);
  return {
    folder,
    executable,
    ask,
    /** Such as nobody has; what is made under it is removed. */
    name(): string {
      const name = `vxt-${crypto.randomUUID().slice(0, 8)}`;
      names.add(name);
      return name;
    },
    async create(name: string, params: Params = {}): Promise<void> {
      await ask("create", { name, image: await imageFor(tool), ...params });
    },
    /** One that runs; it ends at once when it is asked to. */
    async run(params: Params = {}): Promise<string> {
      const name = this.name();
      await this.create(name, { command: WAIT, ...params });
      await ask("start", { name });
      return name;
    },
    /** The plugin and what is in its process group, at some moment of it. */
    async killed(action: string, params: Params, afterMs: number): Promise<void> {
      await this.killedWith(action, params, () => 0, afterMs);
    },
    /** Another process too, found as soon as it is there; 0 is none. The time runs from then on. */
    async killedWith(
      action: string,
      params: Params,
      find: () => number | undefined,
      afterMs: number,
    ): Promise<void> {
      const { entrypoint, env } = executable;
      const child = Bun.spawn([join(folder, entrypoint)], {
        cwd: folder,
        env,
        stdin: "pipe",
        detached: true,
      });
      void child.stdin.write(JSON.stringify({ action, params }));
      void child.stdin.end();
      let other = find();
      while (other === undefined && child.exitCode === null) {
        await Bun.sleep(1);
        other = find();
      }
      await Bun.sleep(afterMs);
      kill(-child.pid);
      if (other !== undefined && other !== 0) kill(other);
      await child.exited;
    },
    async state(name: string): Promise<string> {
      const status = await ask("status", { name });
      return typeof status === "string" ? status : (status as { state: string }).state;
    },
    /** What a command in it writes. */
    async inside(name: string, ...command: string[]): Promise<string> {
      const ended = (await ask("exec", { name, command })) as Ended;
      if (ended.exit_code !== 0) throw new Error(`${command.join(" ")}: ${text(ended.stderr_b64)}`);
      return text(ended.stdout_b64);
    },
    async [Symbol.asyncDispose]() {
      for (const name of names) await ask("destroy", { name }).catch(() => TOOLS[tool].remove(name));
    },
  };
}

export type ProviderUnderTest = ReturnType<typeof openProvider>;

export interface Ended {
  readonly exit_code: number;
  readonly stdout_b64: string;
  readonly stderr_b64: string;
}

export function text(base64: string): string {
  return Buffer.from(base64, "base64").toString();
}

/** Of a shell inside the container, which a test may want: to end when it is asked, and else to wait. */
export const WAIT = `sh -c "trap 'exit 0' TERM; while :; do sleep 0.05; done"`;

export async function imageFor(tool: Tool): Promise<string> {
  return tool === "podman" ? await ensureTestImage("podman") : "busybox";
}

/** The tools themselves, to look and to do what somebody else would do. */
export const TOOLS: Readonly<Record<Tool, ToolInTests>> = {
  podman: {
    async makeForeign(name) {
      run("podman", "create", "--name", name, ...PODMAN_LIMITS, await imageFor("podman"), "sleep", "600");
    },
    isThere: (name) => Bun.spawnSync(["podman", "container", "exists", name]).exitCode === 0,
    remove: (name) => void Bun.spawnSync(["podman", "rm", "--force", "--time", "0", "--ignore", name]),
    pause: (name) => void run("podman", "pause", name),
    pidOf: (name) => Number(run("podman", "inspect", "--format", "{{.State.Pid}}", name)),
    stateOf: (name) => run("podman", "inspect", "--format", "{{.State.Status}}", name),
  },
  lxc: {
    async makeForeign(name) {
      run("lxc-create", "--name", name, "--template", "busybox");
    },
    isThere: (name) => Bun.spawnSync(["lxc-info", "--name", name]).exitCode === 0,
    remove: (name) => void Bun.spawnSync(["lxc-destroy", "--force", "--name", name]),
    pause: (name) => void run("lxc-freeze", "--name", name),
    pidOf: (name) => Number(/PID:\s*(\d+)/.exec(run("lxc-info", "--name", name, "--pid"))?.[1]),
    stateOf: (name) => /State:\s*(\w+)/.exec(run("lxc-info", "--name", name, "--state"))?.[1] ?? "",
  },
};

interface ToolInTests {
  /** A container that the plugin did not make. */
  readonly makeForeign: (name: string) => Promise<void>;
  readonly isThere: (name: string) => boolean;
  readonly remove: (name: string) => void;
  readonly pause: (name: string) => void;
  readonly pidOf: (name: string) => number;
  readonly stateOf: (name: string) => string;
}

/** What the kernel holds a process to. */
export function limitsOf(pid: number): { memory: number; cpus: number } {
  const groups = new Map(
    readFileSync(`/proc/${pid}/cgroup`, "utf8")
      .trim()
      .split("\n")
      .map((line) => line.split(":").slice(1) as [string, string]),
  );
  const read = (controller: string, file: string): string => {
    const [name, path] = [...groups].find(([names]) => names.split(",").includes(controller)) ?? [
      "",
      groups.get(""),
    ];
    return readFileSync(join("/sys/fs/cgroup", name, path ?? "", file), "utf8").trim();
  };
  const isUnified = [...groups.keys()].every((name) => name === "");
  const [quota, period] = isUnified
    ? read("", "cpu.max").split(" ")
    : [read("cpu", "cpu.cfs_quota_us"), read("cpu", "cpu.cfs_period_us")];
  return {
    memory: Number(isUnified ? read("", "memory.max") : read("memory", "memory.limit_in_bytes")),
    cpus: Number(quota) / Number(period),
  };
}

/** Writes a file of that name and gives its path. */
export function fileIn(folder: string, name: string, content: string): string {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
}

export function run(...command: string[]): string {
  const ended = Bun.spawnSync(command, { stdin: "ignore", stdout: "pipe", stderr: "pipe" });
  if (ended.exitCode !== 0) throw new Error(`${command.join(" ")}: ${ended.stderr.toString()}`);
  return ended.stdout.toString().trim();
}

// --- internal ---

function kill(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // It was quicker.
  }
}

/** A machine whose root may not raise limits starts no container without these. */
const PODMAN_LIMITS = ["--ulimit", "nofile=1024:1024", "--ulimit", "nproc=1024:1024"];
