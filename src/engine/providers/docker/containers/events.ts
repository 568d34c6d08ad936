/**
 * What happens to containers, as the engine tells it, built field by field: of its many words only those below pass. Those of
 * commands that are run in a container carry the command line, and are not among them. Called by containers.ts.
 */
import { LIMITS } from "../../../../base/limits.ts";
import { printable } from "../../../../base/text.ts";
import type { ContainerEvent } from "../../../../sdk/index.ts";
import { LABELS } from "../container-spec.ts";
import { imageName } from "./facts.ts";
import { originOf } from "./origin.ts";

/** Undefined for what is no event of a container that a plugin may learn of. */
export function eventOf(raw: unknown, owner: string): ContainerEvent | undefined {
  const { Type: type, Action: words = "", Actor: actor, timeNano } = (raw ?? {}) as RawEvent;
  const [said = "", detail] = words.split(/:\s*/, 2);
  const action = ACTIONS.get(said);
  if (type !== "container" || action === undefined || actor?.ID === undefined) return undefined;
  const { Attributes: attributes = {} } = actor;
  const name = attributes["name"] ?? "";
  const origin = originOf({ name, labels: attributes, owner });
  const code = Number(attributes["exitCode"]);
  return {
    at: new Date(Math.floor((timeNano ?? 0) / 1e6)).toISOString(),
    action,
    id: actor.ID,
    name: printable(name, LIMITS.dockerTextChars),
    image: imageName(origin, attributes, attributes["image"] ?? ""),
    ...origin,
    ...(action === "die" && Number.isInteger(code) ? { exitCode: code } : {}),
    ...(detail === "healthy" || detail === "unhealthy" ? { health: detail } : {}),
  };
}

/** Objects of a stream of JSON lines, as slowly as they are taken. Throws where a line has no end. */
export async function* readEvents(chunks: AsyncIterable<Uint8Array | string>): AsyncGenerator {
  const decoder = new TextDecoder();
  let rest = "";
  for await (const chunk of chunks) {
    rest += typeof chunk === "string" ? chunk : decoder.decode(chunk, { stream: true });
    const lines = rest.split("\n");
    rest = lines.pop() ?? "";
    if (rest.length > LIMITS.dockerEventChars)
      throw new Error("the docker engine sent an event without an end");
    for (const line of lines) {
      const event = parsed(line);
      if (event !== undefined) yield event;
    }
  }
}

/** What the engine is asked for: of our own containers, or of all. */
export function eventFilters(which: "own" | "all", owner: string): Record<string, string[]> {
  return { type: ["container"], ...(which === "own" ? { label: [`${LABELS.owner}=${owner}`] } : {}) };
}

// --- internal ---

interface RawEvent {
  readonly Type?: string;
  readonly Action?: string;
  readonly Actor?: { readonly ID?: string; readonly Attributes?: Readonly<Record<string, string>> };
  readonly timeNano?: number;
}

const ACTIONS: ReadonlyMap<string, ContainerEvent["action"]> = new Map([
  ["create", "create"],
  ["start", "start"],
  ["restart", "restart"],
  ["stop", "stop"],
  ["kill", "kill"],
  ["die", "die"],
  ["oom", "oom"],
  ["pause", "pause"],
  ["unpause", "unpause"],
  ["rename", "rename"],
  ["destroy", "destroy"],
  ["health_status", "health"],
]);

function parsed(line: string): unknown {
  try {
    return line === "" ? undefined : (JSON.parse(line) as unknown);
  } catch {
    return undefined;
  }
}
