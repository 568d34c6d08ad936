/**
 * The named volumes of a plugin's containers. A volume's driver can be told to mount any folder of the host, so each is made
 * here, plain and with our labels, and one of that name that anybody else made is left alone. Called by make.ts.
 */
import type Docker from "dockerode";
import { fail } from "../../../../base/errors.ts";
import { LIMITS } from "../../../../base/limits.ts";
import { quote } from "../../../../base/text.ts";
import { LABELS } from "../container-spec.ts";
import { engineStatus } from "../errors.ts";
import { madeVolumes, type Maker } from "./made.ts";
import type { NewMount } from "./new-container.ts";

/** The same mounts, each by the engine's name for its volume. Throws `container.exists`, `capability.limit`. */
export async function ensureVolumes(
  docker: Docker,
  mounts: readonly NewMount[],
  { owner, plugin }: Maker,
): Promise<NewMount[]> {
  const ready: NewMount[] = [];
  for (const mount of mounts) {
    const name = volumeName(plugin, mount.source);
    await checkRoom(docker, name, { owner, plugin });
    const found = (await inspectVolume(docker, name)) ?? (await makeVolume(docker, name, { owner, plugin }));
    const labels = found.Labels as Record<string, string> | null;
    const isOurs = labels?.[LABELS.owner] === owner && labels[LABELS.plugin] === plugin;
    if (!isOurs || found.Driver !== "local" || Object.keys(found.Options ?? {}).length > 0)
      throw fail("container.exists", `a volume that this plugin did not make has the name ${quote(name)}`);
    ready.push({ ...mount, source: name });
  }
  return ready;
}

/** No plugin's name has a dot, so no two plugins have one name. */
export function volumeName(plugin: string, name: string): string {
  return `vxp.${plugin}.${name}`;
}

// --- internal ---

async function inspectVolume(docker: Docker, name: string): Promise<Docker.VolumeInspectInfo | undefined> {
  try {
    return await docker.getVolume(name).inspect();
  } catch (error) {
    if (engineStatus(error) === 404) return undefined;
    throw error;
  }
}

/** Whoever made one of that name meanwhile has made it his: what is looked at is what the engine has. */
async function makeVolume(
  docker: Docker,
  name: string,
  { owner, plugin }: Maker,
): Promise<Docker.VolumeInspectInfo> {
  await docker.createVolume({ Name: name, Labels: { [LABELS.owner]: owner, [LABELS.plugin]: plugin } });
  return docker.getVolume(name).inspect();
}

async function checkRoom(docker: Docker, name: string, maker: Maker): Promise<void> {
  const others = (await madeVolumes(docker, maker)).filter((volume) => volume !== name);
  if (others.length >= LIMITS.dockerVolumesPerPlugin)
    throw fail("capability.limit", `a plugin has at most ${LIMITS.dockerVolumesPerPlugin} volumes`, {
      hint: `the operator removes what is not needed: docker volume ls --filter label=${LABELS.plugin}=${maker.plugin}`,
    });
}
