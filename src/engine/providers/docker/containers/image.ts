/**
 * The image of a plugin's container: one that this engine has, named from then on by its id, so that a tag that moves changes
 * nothing. One that is missing is pulled only from registries that the operator lists, and without anybody's login. Called by
 * make.ts.
 */
import type Docker from "dockerode";
import { fail } from "../../../../base/errors.ts";
import { LIMITS } from "../../../../base/limits.ts";
import { quote } from "../../../../base/text.ts";
import { registryOf } from "../../../registry-host.ts";
import { isImageName } from "../check.ts";
import { ensureImage, inspectImage } from "../pull.ts";
import type { ReadyImage } from "./new-container.ts";
import type { ContainerRules } from "./rules.ts";

export interface ImageContext {
  readonly rules: Pick<ContainerRules, "allow_pull">;
  readonly signal: AbortSignal;
  readonly ask: <T>(work: (docker: Docker) => Promise<T>, timeoutMs?: number) => Promise<T>;
}

/** Throws `container.invalid`, `container.image_not_found`, and what a pull throws. */
export async function readyImage(image: string, context: ImageContext): Promise<ReadyImage> {
  if (!isImageName(image))
    throw fail("container.invalid", `wanted the name of an image, found ${quote(image)}`);
  const info = (await context.ask((docker) => inspectImage(docker, image))) ?? (await pulled(image, context));
  const labels = Object.keys(info.Config.Labels ?? {});
  if (labels.some((key) => key.toLowerCase().startsWith("voxeltron.")))
    throw fail("container.invalid", `the image ${quote(image)} has labels that begin with voxeltron.`);
  return { id: info.Id, entrypoint: [info.Config.Entrypoint ?? []].flat() };
}

// --- internal ---

function pulled(image: string, { rules, signal, ask }: ImageContext): Promise<Docker.ImageInspectInfo> {
  const registry = registryOf(image);
  if (!rules.allow_pull.includes(registry))
    throw fail("container.image_not_found", `this machine has no image ${quote(image)}`, {
      hint: `the operator pulls it, or lets plugins do so: [docker] allow_pull = ["${registry}"]`,
    });
  return ask(async (docker) => {
    await ensureImage(docker, image, undefined, { signal, progress() {} });
    return docker.getImage(image).inspect();
  }, LIMITS.engineWorkMs);
}
