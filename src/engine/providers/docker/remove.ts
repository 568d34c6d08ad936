/**
 * Removes a container with its anonymous volumes; volumes with a name stay. Only containers with our label: whoever else
 * has the name keeps what is his. Called by create.ts and provider.ts.
 */
import type Docker from "dockerode";
import { LABELS } from "./container-spec.ts";
import { engineStatus } from "./errors.ts";

/** Gives false while someone else's removal of it is under way. Not there: fine. */
export async function removeContainer(docker: Docker, id: string): Promise<boolean> {
  try {
    const { Id: containerId, Config: config } = await docker.getContainer(id).inspect();
    if (config.Labels[LABELS.instance] !== id) return true;
    await docker.getContainer(containerId).remove({ force: true, v: true });
    return true;
  } catch (error) {
    const status = engineStatus(error);
    if (status === 404) return true;
    if (status === 409) return false;
    throw error;
  }
}
