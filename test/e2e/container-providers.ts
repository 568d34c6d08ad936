/** The three providers of containers, as the end-to-end tests of workspaces use them: how one is installed, and what it has of a workspace. */
import { expect } from "bun:test";
import { ensureTestImage } from "../fixtures/docker-image.ts";
import { needs } from "../harness.ts";
import { imageFor, TOOLS } from "../provider-plugin.ts";
import type { Machine } from "./machine.ts";
import { ok } from "./workspace-commands.ts";

export interface ContainerProvider {
  readonly name: "docker" | "podman" | "lxc";
  readonly isHere: () => boolean;
  /** Its command line programs. */
  readonly tools: readonly string[];
  /** As an operator does it, and with the image that tests use. */
  install(machine: Machine): Promise<void>;
  /** Words of `workspace create`. */
  spec(): Promise<string[]>;
  /** What it has of this workspace. */
  count(workspace: string): number;
  /** Whatever a test that failed left. */
  remove(workspace: string): void;
}

/** In the place of an init: says that it runs, and ends at once when it is asked to. */
const COMMAND = `sh -c "trap 'exit 0' TERM; echo ready $GREETING; while :; do sleep 0.05; done"`;

export const CONTAINER_PROVIDERS: readonly ContainerProvider[] = [
  {
    name: "docker",
    isHere: () => needs("docker"),
    tools: [],
    install: async () => void (await ensureTestImage()),
    spec: async () => words("docker", await ensureTestImage()),
    count: (workspace) => ofDocker(workspace).length,
    remove(workspace) {
      for (const id of ofDocker(workspace)) Bun.spawnSync(["docker", "rm", "--force", id]);
    },
  },
  plugged("podman", ["podman"], () => needs("podman")),
  plugged("lxc", ["lxc-create", "lxc-start", "lxc-stop", "lxc-destroy", "lxc-info"], () =>
    needs("lxc and its bridge"),
  ),
];

// --- internal ---

function plugged(name: "podman" | "lxc", tools: readonly string[], isHere: () => boolean): ContainerProvider {
  return {
    name,
    isHere,
    tools,
    async install(machine) {
      await imageFor(name);
      expect(await ok(machine, "plugin", "install", name, "--yes")).toContain("installed and enabled");
    },
    spec: async () => words(name, await imageFor(name)),
    count: (workspace) => (TOOLS[name].isThere(workspace) ? 1 : 0),
    remove: (workspace) => TOOLS[name].remove(workspace),
  };
}

function words(provider: string, image: string): string[] {
  return ["--provider", provider, "--image", image, "--command", COMMAND];
}

function ofDocker(workspace: string): string[] {
  const filter = ["--filter", `label=voxeltron.workspace=${workspace}`];
  return Bun.spawnSync(["docker", "ps", "--all", "--quiet", ...filter])
    .stdout.toString()
    .split("\n")
    .filter((id) => id !== "");
}
