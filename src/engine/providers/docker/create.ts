/**
 * Makes the container of an instance. A container of that name with our labels is what an earlier try left behind when
 * the daemon was killed, and is replaced; anyone else's is left alone. Called by provider.ts.
 */
import type Docker from "dockerode";
import { fail } from "../../../base/errors.ts";
import type { InstanceSpec, WorkContext } from "../provider.ts";
import { containerOptions, LABELS, type ContainerPlace } from "./container-spec.ts";
import { engineStatus } from "./errors.ts";
import { inspectImage } from "./pull.ts";
import { removeContainer } from "./remove.ts";

export interface ContainerWish {
  readonly spec: InstanceSpec;
  readonly secrets: Readonly<Record<string, string>>;
  readonly place: ContainerPlace | undefined;
}

export async function createContainer(
  docker: Docker,
  { spec, secrets, place }: ContainerWish,
  context: WorkContext,
): Promise<void> {
  const image = await inspectImage(docker, spec.image ?? "");
  const { name, ...body } = containerOptions(spec, entrypointOf(image), secrets, place);
  // The client would repeat the environment in the address of the request, which ends in the logs of whatever stands in between.
  const apart: object = { _query: { name }, _body: body };
  const make = () => docker.createContainer(apart);
  let container: Docker.Container;
  try {
    container = await make();
  } catch (error) {
    if (engineStatus(error) !== 409) throw error;
    await removeLeftover(docker, spec);
    container = await make();
  }
  await reportLostLimits(container, spec, context);
}

// --- internal ---

function entrypointOf(image: Docker.ImageInspectInfo | undefined): readonly string[] {
  return [image?.Config.Entrypoint ?? []].flat();
}

async function removeLeftover(docker: Docker, spec: InstanceSpec): Promise<void> {
  const { Config: config } = await docker.getContainer(spec.id).inspect();
  const labels = config.Labels;
  if (labels[LABELS.owner] !== spec.owner || labels[LABELS.instance] !== spec.id) {
    throw fail("provider.failed", `a container that is not ours has the name ${spec.id}`);
  }
  await removeContainer(docker, spec.id);
}

/** An engine whose kernel lacks a cgroup controller drops the limit and only warns. */
async function reportLostLimits(
  container: Docker.Container,
  { memoryBytes, cpus }: InstanceSpec,
  { progress }: WorkContext,
): Promise<void> {
  if (memoryBytes === undefined && cpus === undefined) return;
  const { HostConfig: host } = await container.inspect();
  if (memoryBytes !== undefined && host.Memory !== memoryBytes) {
    progress("warning: the engine's kernel can't limit memory, the container runs without that limit");
  }
  if (cpus !== undefined && (host.NanoCpus ?? 0) === 0) {
    progress("warning: the engine's kernel can't limit CPUs, the container runs without that limit");
  }
}
