/** Whether a Docker engine answers on this machine. Needs nothing that has to be installed. Shared by the demo and test-setup. */
import { existsSync } from "node:fs";
import { join } from "node:path";

export const ENGINE_SOCKET = "/var/run/docker.sock";

/** Holds the pid of the engine that test-setup started, for whoever is to stop it. */
export const STARTED_ENGINE = join(import.meta.dir, "../dist/dockerd.pid");

export async function engineAnswers(): Promise<boolean> {
  if (!existsSync(ENGINE_SOCKET)) return false;
  try {
    const signal = AbortSignal.timeout(2_000);
    return (await fetch("http://engine/_ping", { unix: ENGINE_SOCKET, signal })).ok;
  } catch {
    return false;
  }
}
