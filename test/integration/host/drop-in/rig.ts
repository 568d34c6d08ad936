/** A plugin host with a folder of drop-ins, for the tests beside this. */
import { chmodSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { PackageFiles } from "../../../../src/host/package/package-files.ts";
import type { PluginsDeps } from "../../../../src/host/plugins.ts";
import { tempDir } from "../../../harness.ts";
import { eventOf, makeWorld, samplePlugin, type Sample, type World } from "../world.ts";

export interface Rig {
  readonly world: World;
  /** The two folders of drop-ins, the first first. */
  readonly first: string;
  readonly second: string;
  /** Everything's folder. */
  readonly path: string;
}

export async function withRig(
  work: (rig: Rig) => Promise<void>,
  changes: Partial<PluginsDeps> = {},
): Promise<void> {
  await using dir = tempDir();
  const rig = makeRig(dir.path, changes);
  try {
    await work(rig);
  } finally {
    await rig.world.close();
  }
}

/** A second one in the same place is the daemon after its restart. */
export function makeRig(path: string, changes: Partial<PluginsDeps> = {}): Rig {
  const first = join(path, "data/plugins");
  const second = join(path, "home/.config/devbox/plugins");
  mkdirSync(first, { recursive: true });
  mkdirSync(second, { recursive: true });
  const world = makeWorld(join(path, "data"), { dropInFolders: [first, second], ...changes });
  return { world, first, second, path };
}

/** Gives the plugin's folder. What was there before is gone. */
export function drop(parent: string, sample: Sample = {}, folderName = sample.name ?? "sample"): string {
  const folder = join(parent, folderName);
  rmSync(folder, { recursive: true, force: true });
  write(folder, samplePlugin(sample));
  return folder;
}

export function write(folder: string, files: PackageFiles): void {
  for (const [path, { bytes, executable }] of files) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), bytes);
    if (executable) chmodSync(join(folder, path), 0o755);
  }
}

/** Looks and consents, as the command line does. */
export async function consent({ world }: Rig, name = "sample"): Promise<void> {
  const source = { dropIn: name };
  const { digest, required } = await world.plugins.inspect(source);
  const grants = required.map(({ capability }) => ({ capability: capability as "notify_send" }));
  await world.plugins.install({ source, digest, grants, by: "tester" });
}

export const run = ({ world }: Rig, name = "sample"): Promise<unknown> =>
  world.plugins.run(name, "on_deploy_success", eventOf("on_deploy_success"));

/** `name: state` of all that is not built in. */
export async function states({ world }: Rig): Promise<string[]> {
  const { plugins } = await world.plugins.survey();
  return plugins.filter(({ builtIn }) => !builtIn).map(({ name, state }) => `${name}: ${state}`);
}

export async function reasonOf({ world }: Rig, folder: string): Promise<string> {
  const { plugins } = await world.plugins.survey();
  return plugins.find((each) => each.folder === folder)?.reason ?? "";
}
