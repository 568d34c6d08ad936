/**
 * Makes the container that a plugin asks for, and checks that one that a plugin made is still what the operator allows. Nothing
 * is made before everything was looked at. Called by containers.ts.
 */
import type Docker from "dockerode";
import { fail } from "../../../../base/errors.ts";
import { shortId } from "../../../../base/ids.ts";
import { LIMITS } from "../../../../base/limits.ts";
import { quote } from "../../../../base/text.ts";
import { isInstancePort } from "../../../ports.ts";
import { engineStatus } from "../errors.ts";
import { checkBindSource, type BindPlaces } from "./bind-source.ts";
import { readyImage } from "./image.ts";
import { madeContainers, type Maker } from "./made.ts";
import { memoryOf, newContainerOptions, type NewContainer, type NewMount } from "./new-container.ts";
import { checkOpenings, openingsFound, openingsWanted, type ContainerRules } from "./rules.ts";
import { ensureVolumes } from "./volumes.ts";

export interface MakeContext {
  readonly owner: string;
  readonly rules: ContainerRules;
  readonly places: BindPlaces;
  readonly signal: AbortSignal;
  /** Puts a question to the engine; within LIMITS.engineAskMs where no other time is given. */
  readonly ask: <T>(work: (docker: Docker) => Promise<T>, timeoutMs?: number) => Promise<T>;
}

export interface MadeContainer {
  readonly id: string;
  readonly name: string;
}

/** Throws `capability.out_of_scope`, `capability.limit`, `container.*`. */
export async function makeContainer(wanted: NewContainer, context: MakeContext): Promise<MadeContainer> {
  const { owner, rules, places, signal, ask } = context;
  const { plugin } = wanted;
  checkOpenings(openingsWanted(wanted), rules);
  checkBounds(wanted);
  const binds = await readyBinds(wanted.binds, rules, places);
  await ask((docker) => checkRoom(docker, { owner, plugin }));
  const image = await readyImage(wanted.image, context);
  const volumes = await ask((docker) => ensureVolumes(docker, wanted.volumes, { owner, plugin }));
  const name = `vxp.${plugin}.${wanted.name ?? shortId()}`;
  signal.throwIfAborted();
  const options = newContainerOptions(wanted, { owner, name, image, volumes, binds });
  return ask(async (docker) => {
    try {
      const { id } = await docker.createContainer(options);
      return { id, name };
    } catch (error) {
      if (engineStatus(error) === 409) throw fail("container.exists", `there is a container ${name} already`);
      throw error;
    }
  });
}

/** Of what the engine says: the operator may have closed something since, or a folder may be another by now. */
export async function checkMade(
  info: Docker.ContainerInspectInfo,
  { rules, places }: Pick<MakeContext, "rules" | "places">,
): Promise<void> {
  const found = openingsFound(info);
  checkOpenings(found, rules);
  for (const source of found.binds) {
    if ((await checkBindSource(source, rules, places)) !== source)
      throw fail("capability.out_of_scope", "a folder of the host that this container has is a link now");
  }
}

// --- internal ---

function checkBounds(wanted: NewContainer): void {
  const memory = memoryOf(wanted);
  if (memory > LIMITS.dockerMemoryMaxBytes)
    throw fail(
      "container.invalid",
      `a plugin's container has at most ${LIMITS.dockerMemoryMaxBytes} bytes of memory`,
    );
  if (wanted.network === "none" && wanted.ports.length > 0)
    throw fail("container.invalid", 'ports need a network: wanted network "default", found "none"');
  const taken = wanted.ports.find(({ host }) => host !== undefined && isInstancePort(host));
  if (taken !== undefined)
    throw fail("container.invalid", `the port ${taken.host} is in the range from which services get theirs`);
  const targets = [...wanted.volumes, ...wanted.binds].map(({ target }) => target);
  const twice = targets.find((target, index) => targets.indexOf(target) !== index);
  if (twice !== undefined) throw fail("container.invalid", `two mounts have the target ${quote(twice)}`);
}

async function readyBinds(
  binds: readonly NewMount[],
  rules: ContainerRules,
  places: BindPlaces,
): Promise<NewMount[]> {
  const ready: NewMount[] = [];
  for (const bind of binds)
    ready.push({ ...bind, source: await checkBindSource(bind.source, rules, places) });
  return ready;
}

async function checkRoom(docker: Docker, maker: Maker): Promise<void> {
  if ((await madeContainers(docker, maker)).length >= LIMITS.dockerContainersPerPlugin)
    throw fail("capability.limit", `a plugin has at most ${LIMITS.dockerContainersPerPlugin} containers`, {
      hint: "remove those that are not needed any more",
    });
}
