/**
 * Runs a command in a container: bytes in, bytes out, exit code. The engine does not end a command whose caller went
 * away, so at the signal it is killed here, where the engine's processes can be seen. Called by provider.ts.
 */
import { readFile } from "node:fs/promises";
import type { Duplex } from "node:stream";
import type Docker from "dockerode";
import type { Clock } from "../../../base/clock.ts";
import { fail } from "../../../base/errors.ts";
import type { ExecOptions } from "../provider.ts";
import { makeFrameReader } from "./frames.ts";

/** Gives the exit code: 126 and 127 say, as in a shell, that the command could not be run. */
export async function execInContainer(
  container: Docker.Container,
  options: ExecOptions,
  clock: Clock,
): Promise<number> {
  const { command, stdin, signal, output } = options;
  signal.throwIfAborted();
  const exec = await container.exec({
    Cmd: [...command],
    AttachStdin: stdin !== undefined,
    AttachStdout: true,
    AttachStderr: true,
  });
  const stream = await exec.start({ hijack: true, stdin: true });
  const stop = (): void => void stream.destroy();
  signal.addEventListener("abort", stop, { once: true });
  try {
    if (stdin !== undefined) stream.write(stdin);
    stream.end();
    await readAll(stream, output);
  } finally {
    signal.removeEventListener("abort", stop);
    stop();
    if (signal.aborted) await killCommand(exec, clock);
  }
  signal.throwIfAborted();
  const { ExitCode: code } = await exec.inspect();
  if (code === null) throw fail("exec.failed", "the connection to the command broke before it ended");
  return code;
}

// --- internal ---

const KILL_ROUNDS = 40;
const KILL_ROUND_MS = 50;

/** As fast as `output` takes it. Ends with the stream, and also when someone else destroyed it. */
function readAll(stream: Duplex, output: ExecOptions["output"]): Promise<void> {
  let taken: Promise<void> | undefined;
  const read = makeFrameReader((name, bytes) => {
    taken = output(name, bytes);
  });
  return new Promise((resolve, reject) => {
    stream.on("data", (chunk: Buffer) => {
      try {
        read(chunk);
      } catch (error) {
        reject(error);
      }
      if (taken === undefined) return;
      stream.pause();
      void taken.finally(() => stream.resume());
    });
    stream.on("error", reject);
    stream.on("end", resolve);
    stream.on("close", resolve);
  });
}

/** Only if the pid that the engine names is, as far as this host can tell, in that container: the engine may be remote. */
async function killCommand(exec: Docker.Exec, clock: Clock): Promise<void> {
  try {
    for (let round = 0; round < KILL_ROUNDS; round++) {
      const { Pid: pid, ContainerID: container, Running: running, ExitCode: code } = await exec.inspect();
      if (running && pid > 1) {
        const groups = await readFile(`/proc/${pid}/cgroup`, "utf8");
        if (groups.includes(container)) process.kill(pid, "SIGKILL");
        return;
      }
      if (code !== null) return;
      // The command's first output can be here before the engine has noted its pid.
      await clock.sleep(KILL_ROUND_MS);
    }
  } catch {
    // Another host, another user, or gone already: nothing more can be done from here.
  }
}
