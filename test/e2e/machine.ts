/**
 * A small machine for end-to-end tests: the compiled executable in a temporary folder, its daemon and its command line.
 * Everything it starts ends with it, instances included.
 */
import {
  chmodSync,
  chownSync,
  closeSync,
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { typeInto, type Screen } from "../../scripts/demo/terminal.ts";
import { until } from "../harness.ts";

export const EXECUTABLE = join(import.meta.dir, "../../dist/voxeltron");

export interface Answer {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Machine extends AsyncDisposable {
  readonly folder: string;
  readonly dataDir: string;
  readonly socket: string;
  /** The daemon's own log so far. */
  log(): string;
  pid(): number;
  /** Starts the daemon and waits until it answers. */
  start(environment?: Readonly<Record<string, string>>): Promise<void>;
  /** Sends the signal and waits until the daemon is gone. */
  end(signal?: NodeJS.Signals): Promise<number>;
  configure(toml: string): void;
  /** Writes files below the machine's folder; gives the folder's path. */
  write(name: string, files: Readonly<Record<string, string>>): string;
  cli(...words: readonly string[]): Promise<Answer>;
  /** Types the command into a terminal and answers its questions. */
  type(words: readonly string[], answers: readonly string[]): Promise<Screen>;
  /** The same, parsed; throws when the command fails. */
  json<T>(...words: readonly string[]): Promise<T>;
}

/** `user`: an ordinary user's id, whose daemon and command line it then is; only root can have that. */
export function makeMachine(configuration = '[providers]\ndefault = "process"\n', user?: number): Machine {
  const folder = mkdtempSync(join(tmpdir(), "voxeltron-e2e-"));
  const program = user === undefined ? [EXECUTABLE] : programOf(user, folder);
  const dataDir = join(folder, "data");
  const config = join(folder, "config.toml");
  const logFile = join(folder, "daemon.log");
  const base = {
    PATH: "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin",
    HOME: folder,
    NO_COLOR: "1",
    TZ: "UTC",
  };
  const flags = ["--config", config, "--data-dir", dataDir];
  let daemon: Bun.Subprocess | undefined;

  const machine: Machine = {
    folder,
    dataDir,
    socket: join(dataDir, "voxeltron.sock"),
    log: () => readFileSync(logFile, "utf8"),
    pid: () => daemon?.pid ?? 0,
    async start(environment = {}) {
      const log = openSync(logFile, "a");
      daemon = Bun.spawn([...program, "daemon", ...flags], {
        cwd: folder,
        env: { ...base, ...environment },
        stdin: "ignore",
        stdout: log,
        stderr: log,
      });
      closeSync(log);
      const started = daemon;
      await until(
        async () => {
          if (started.exitCode !== null)
            throw new Error(`the daemon ended with ${started.exitCode}: ${machine.log()}`);
          return (await machine.cli("daemon", "info")).status === 0;
        },
        { timeoutMs: 15_000, what: "the daemon" },
      );
    },
    async end(signal = "SIGTERM") {
      daemon?.kill(signal);
      return (await daemon?.exited) ?? 0;
    },
    configure: (toml) => writeFileSync(config, toml),
    write(name, files) {
      for (const [path, text] of Object.entries(files)) {
        const target = join(folder, name, path);
        mkdirSync(dirname(target), { recursive: true });
        writeFileSync(target, text);
      }
      return join(folder, name);
    },
    async cli(...words) {
      const child = Bun.spawn([...program, ...words, ...flags], {
        cwd: folder,
        env: base,
        stdin: "ignore",
        stdout: "pipe",
        stderr: "pipe",
      });
      const [stdout, stderr, status] = await Promise.all([
        new Response(child.stdout).text(),
        new Response(child.stderr).text(),
        child.exited,
      ]);
      return { status, stdout, stderr };
    },
    type: (words, answers) => typeInto([...program, ...words, ...flags], answers, base),
    async json<T>(...words: readonly string[]) {
      const answer = await machine.cli(...words, "--json");
      if (answer.status !== 0) throw new Error(`voxeltron ${words.join(" ")}: ${answer.stderr}`);
      return JSON.parse(answer.stdout) as T;
    },
    async [Symbol.asyncDispose]() {
      await machine.end("SIGKILL");
      // Executables have the daemon's HOME; one that ran when the daemon was killed goes on.
      for (const pid of [...instancesOf(folder), ...processesWith(`HOME=${folder}\0`)]) killIfThere(pid);
      rmSync(folder, { recursive: true, force: true });
    },
  };
  machine.configure(configuration);
  return machine;
}

/** A copy that the user may execute, wherever the checkout lies. */
function programOf(user: number, folder: string): string[] {
  const copy = join(folder, "voxeltron");
  copyFileSync(EXECUTABLE, copy);
  chmodSync(copy, 0o755);
  chownSync(folder, user, user);
  return ["setpriv", `--reuid=${user}`, `--regid=${user}`, "--clear-groups", "--", copy];
}

/** Processes that run below `folder`, found in /proc: what a test must not leave behind. */
export function instancesOf(folder: string): number[] {
  return processesWith(`HOME=${folder}/`);
}

function processesWith(variable: string): number[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
    .filter((pid) => {
      try {
        return readFileSync(`/proc/${pid}/environ`, "utf8").includes(variable);
      } catch {
        return false;
      }
    })
    .map(Number);
}

function killIfThere(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // It ended by itself.
  }
}
