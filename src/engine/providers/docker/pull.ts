/**
 * Sees that an image is there, and names it exactly. As with `docker run`, an image that the engine has is used as it
 * is; only a missing one is pulled. Called by provider.ts, with the operator's login where there is one.
 */
import type Docker from "dockerode";
import type { RegistryAuth, WorkContext } from "../provider.ts";
import { engineStatus } from "./errors.ts";
import { makePullProgress, type PullEvent } from "./pull-progress.ts";

/** Gives `name@sha256:…` for an image that came from a registry, else the engine's own `sha256:…`. */
export async function ensureImage(
  docker: Docker,
  image: string,
  auth: RegistryAuth | undefined,
  context: WorkContext,
): Promise<string> {
  const present = await inspectImage(docker, image);
  if (present !== undefined) {
    context.progress(`using ${image} as the engine has it`);
    return exactName(image, present);
  }
  context.progress(`pulling ${image}`);
  await pull(docker, image, auth, context);
  return exactName(image, await docker.getImage(image).inspect());
}

/** What the engine knows of an image, or nothing. */
export async function inspectImage(
  docker: Docker,
  image: string,
): Promise<Docker.ImageInspectInfo | undefined> {
  try {
    return await docker.getImage(image).inspect();
  } catch (error) {
    if (engineStatus(error) === 404) return undefined;
    throw error;
  }
}

// --- internal ---

async function pull(
  docker: Docker,
  image: string,
  auth: RegistryAuth | undefined,
  { signal, progress }: WorkContext,
): Promise<void> {
  const stream = await docker.pull(image, {
    abortSignal: signal,
    ...(auth === undefined ? {} : login(auth)),
  });
  const note = makePullProgress(image);
  let failure: string | undefined;
  await new Promise<void>((resolve, reject) => {
    const stop = (): void => {
      (stream as NodeJS.ReadableStream & { destroy(): void }).destroy();
      reject(signal.reason as Error);
    };
    signal.addEventListener("abort", stop, { once: true });
    const done = (error: Error | null): void => {
      signal.removeEventListener("abort", stop);
      if (error === null) resolve();
      else reject(error);
    };
    docker.modem.followProgress(stream, done, (event: PullEvent) => {
      failure ??= event.error;
      const said = note(event);
      if (said !== undefined) progress(said.text, said.percent);
    });
  });
  if (failure !== undefined) throw new Error(failure);
}

function login(auth: RegistryAuth): {
  authconfig: { username: string; password: string; serveraddress: string };
} {
  return { authconfig: { username: auth.username, password: auth.password, serveraddress: auth.host } };
}

function exactName(image: string, info: Docker.ImageInspectInfo): string {
  const digests = info.RepoDigests ?? [];
  const repository = image.replace(/@.*$/, "").replace(/:[^:/]*$/, "");
  return digests.find((digest) => digest.startsWith(`${repository}@`)) ?? digests[0] ?? info.Id;
}
