/**
 * Makes an image from a folder with a Dockerfile, with the engine's classic builder: the one that every engine has and that needs no
 * session. The image carries our labels, by which those that no version needs are found again. Called by provider.ts.
 */
import type Docker from "dockerode";
import { fail } from "../../../base/errors.ts";
import { formatBytes } from "../../../base/text.ts";
import type { FolderBuild, InstanceSpec, RegistryAuth, WorkContext } from "../provider.ts";
import { readBuildContext } from "./build-context.ts";
import { makeBuildProgress, type BuildEvent } from "./build-progress.ts";
import { LABELS } from "./container-spec.ts";
import { engineStatus } from "./errors.ts";

export interface Build extends FolderBuild {
  readonly directory: string;
}

/** The image's id. Throws `deploy.build_failed` with the last lines in `details.logs`. */
export async function buildImage(
  docker: Docker,
  build: Build,
  spec: Pick<InstanceSpec, "owner" | "service" | "version" | "buildLogins">,
  { signal, progress }: WorkContext,
): Promise<string> {
  const { owner, service = "", version } = spec;
  const context = await readBuildContext(build.directory, build.dockerfile, signal);
  progress(`sending ${context.files} files, ${formatBytes(context.bytes)}`);
  const answer = await docker.buildImage(context.stream, {
    t: `vx-${service}:${version}`,
    dockerfile: build.dockerfile,
    buildargs: build.args,
    labels: { [LABELS.owner]: owner, [LABELS.service]: service },
    rm: true,
    forcerm: true,
    abortSignal: signal,
    registryconfig: Object.fromEntries(spec.buildLogins.map(loginOf)),
  });
  const built = makeBuildProgress();
  await new Promise<void>((resolve, reject) => {
    const stop = (): void => {
      (answer as NodeJS.ReadableStream & { destroy(): void }).destroy();
      reject(signal.reason as Error);
    };
    signal.addEventListener("abort", stop, { once: true });
    docker.modem.followProgress(
      answer,
      (error: Error | null) => {
        signal.removeEventListener("abort", stop);
        if (error === null) resolve();
        else reject(error);
      },
      (event: BuildEvent) => {
        const note = built.take(event);
        if (note !== undefined) progress(note.text, note.percent);
      },
    );
  });
  if (built.error !== undefined || built.image === undefined)
    throw fail("deploy.build_failed", `the build failed: ${built.error ?? "the engine named no image"}`, {
      details: { logs: [...built.lastLines] },
    });
  return built.image;
}

/** Removes what was built for the service and is not among `keep`, but for what a container still uses. */
export async function removeBuilds(
  docker: Docker,
  owner: string,
  service: string,
  keep: ReadonlySet<string>,
): Promise<void> {
  const label = [`${LABELS.owner}=${owner}`, `${LABELS.service}=${service}`];
  for (const { Id: id } of await docker.listImages({ filters: { label } })) {
    if (keep.has(id)) continue;
    try {
      await docker.getImage(id).remove({ force: false });
    } catch (error) {
      if (!GONE_OR_USED.has(engineStatus(error) ?? 0)) throw error;
    }
  }
}

// --- internal ---

const GONE_OR_USED: ReadonlySet<number> = new Set([404, 409]);

/** The engine knows Docker Hub by an older name here. */
function loginOf({ host, username, password }: RegistryAuth) {
  return [host === "docker.io" ? "https://index.docker.io/v1/" : host, { username, password }] as const;
}
