/**
 * Whose a container is, by the labels that it got when it was made: nobody can change them later. Those of another
 * installation, and those that fit no container of ours, are somebody else's. Pure. Called by facts.ts and events.ts.
 */
import { LIMITS } from "../../../../base/limits.ts";
import { printable } from "../../../../base/text.ts";
import { LABELS } from "../container-spec.ts";

export interface Origin {
  readonly origin: "service" | "plugin" | "other";
  /** With `service`: whose instance it is. */
  readonly service?: string;
  readonly version?: number;
  /** With `plugin`: who made it. */
  readonly plugin?: string;
}

export interface Labelled {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>> | null;
  readonly owner: string;
}

/** An image may bring labels of its own: an instance is one by its name too, and no instance was made by a plugin. */
export function originOf({ name, labels, owner }: Labelled): Origin {
  if (owner === "" || labels?.[LABELS.owner] !== owner) return { origin: "other" };
  const { [LABELS.instance]: instance, [LABELS.service]: service, [LABELS.plugin]: plugin } = labels;
  if (instance !== undefined) {
    // A workspace's is empty.
    if (instance !== name || service === undefined || service === "") return { origin: "other" };
    const version = Number(labels[LABELS.version]);
    return {
      origin: "service",
      service: printable(service, LIMITS.dockerTextChars),
      ...(Number.isSafeInteger(version) ? { version } : {}),
    };
  }
  return plugin === undefined || plugin === ""
    ? { origin: "other" }
    : { origin: "plugin", plugin: printable(plugin, LIMITS.dockerTextChars) };
}
