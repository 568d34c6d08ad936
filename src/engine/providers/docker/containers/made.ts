/** What one plugin made, as the engine has it: its containers and its volumes, by their labels. Called by the files beside it. */
import type Docker from "dockerode";
import { LABELS } from "../container-spec.ts";
import { originOf } from "./origin.ts";

export interface Maker {
  readonly owner: string;
  readonly plugin: string;
}

/** Full ids. */
export async function madeContainers(docker: Docker, maker: Maker): Promise<readonly string[]> {
  const rows = await docker.listContainers({ all: true, filters: { label: labelsOf(maker) } });
  return rows.filter(({ Labels: labels }) => isMade(labels, maker)).map(({ Id: id }) => id);
}

/** Names. */
export async function madeVolumes(docker: Docker, maker: Maker): Promise<readonly string[]> {
  const { Volumes: volumes } = await docker.listVolumes({ filters: { label: labelsOf(maker) } });
  return ((volumes as typeof volumes | null) ?? [])
    .filter(({ Labels: labels }) => isMade(labels, maker))
    .map(({ Name: name }) => name);
}

// --- internal ---

function labelsOf({ owner, plugin }: Maker): string[] {
  return [`${LABELS.owner}=${owner}`, `${LABELS.plugin}=${plugin}`];
}

/** Whatever the engine takes a filter for: what is not the plugin's own must never be taken for it. */
function isMade(labels: Readonly<Record<string, string>> | null, { owner, plugin }: Maker): boolean {
  const found = originOf({ name: "", labels, owner });
  return found.origin === "plugin" && found.plugin === plugin;
}
