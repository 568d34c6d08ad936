/** What the engine says of a container, in the words that all providers share. Pure. Called by provider.ts. */
import type { ContainerInspectInfo } from "dockerode";
import { printable } from "../../../base/text.ts";
import { hasEnded, type InstanceStatus } from "../provider.ts";

export function containerStatus(info: Pick<ContainerInspectInfo, "State" | "RestartCount">): InstanceStatus {
  const { State: state } = info;
  const known = STATES[state.Status] ?? "exited";
  const ended = hasEnded({ state: known }) || known === "restarting";
  const detail = describe(state);
  return {
    state: known,
    restarts: info.RestartCount,
    ...(ended ? { exitCode: state.ExitCode } : {}),
    ...(state.StartedAt.startsWith("0001-") ? {} : { startedAt: new Date(state.StartedAt).toISOString() }),
    ...(detail === undefined ? {} : { detail }),
  };
}

// --- internal ---

const STATES: Readonly<Record<string, InstanceStatus["state"]>> = {
  created: "created",
  running: "running",
  paused: "paused",
  restarting: "restarting",
  removing: "exited",
  exited: "exited",
  dead: "dead",
};

function describe(state: ContainerInspectInfo["State"]): string | undefined {
  if (state.OOMKilled) return "out of memory";
  return state.Error === "" ? undefined : printable(state.Error, 400);
}
