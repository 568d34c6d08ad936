/** Whether a Docker engine answers on this machine. Needs nothing that has to be installed. Shared by the demo and test-setup. */
import { existsSync } from "node:fs";

export const ENGINE_SOCKET = "/var/run/docker.sock";

export async function engineAnswers(): Promise<boolean> {
  if (!existsSync(ENGINE_SOCKET)) return false;
  try {
    const signal = AbortSignal.timeout(2_000);
    return (await fetch("http://engine/_ping", { unix: ENGINE_SOCKET, signal })).ok;
  } catch {
    return false;
  }
}
