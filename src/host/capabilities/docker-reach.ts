/**
 * Which containers a plugin may see and change, by its grants as they are at this moment, and how it names one. Whatever is beyond
 * that is, for the plugin, not there: a refusal that differs from "there is none" would tell that there is one. Pure. Called by
 * docker.ts.
 */
import { fail, type VoxError } from "../../base/errors.ts";
import { quote } from "../../base/text.ts";
import type { Caller } from "./method.ts";
import { inScope } from "./scopes.ts";

/** Of a container, as far as it matters here; whatever else is in it is an answer as it is. */
export interface ContainerFacts {
  readonly id: string;
  readonly name: string;
  readonly origin: "service" | "plugin" | "other";
  readonly service?: string;
  readonly plugin?: string;
}

export type Labelled = Pick<ContainerFacts, "origin" | "service" | "plugin">;

/** Null: what this installation made. A list: instances of these services. `all`: every container of the engine. */
export function maySee(caller: Caller, { origin, service = "" }: Labelled): boolean {
  if (breadth(caller) === "all") return true;
  const scope = caller.grants.get("docker_read");
  if (scope === null) return origin !== "other";
  return origin === "service" && inScope(caller, "docker_read", service);
}

/** Null: instances of all services, and what it made itself. A list: instances of these services. */
export function mayChange({ grants, plugin }: Caller, container: Labelled): boolean {
  const scope = grants.get("docker_write");
  if (scope === undefined) return false;
  if (container.origin === "service") return scope === null || scope.includes(container.service ?? "");
  return container.origin === "plugin" && scope === null && container.plugin === plugin;
}

/** What the engine must be asked for, so that all that the plugin may see is there. */
export function breadth(caller: Caller): "own" | "all" {
  return inScope(caller, "docker_read", "all") ? "all" : "own";
}

/** By the full id, at least twelve digits of it, or the exact name. Throws `container.not_found`, `container.invalid`. */
export function findContainer(containers: readonly ContainerFacts[], text: string): ContainerFacts {
  const isPrefix = /^[0-9a-f]{12,64}$/.test(text);
  const found = containers.filter(({ id, name }) => name === text || (isPrefix && id.startsWith(text)));
  const [first, second] = found;
  if (first === undefined) throw notFound(text);
  if (second !== undefined)
    throw fail("container.invalid", `${quote(text)} is more than one container: give a full id`);
  return first;
}

export function notFound(text: string): VoxError {
  return fail("container.not_found", `there is no container ${quote(text)} that this plugin may see`, {
    hint: "give its id (twelve digits or more) or its exact name, as list() has them; what list() does not show is out of its scope",
  });
}
