/** What the engine says of a container, in the words that all providers share. Pure. Called by provider.ts. */
import type { ContainerInspectInfo } from "dockerode";
import { printable } from "../../../base/text.ts";
import type { InstanceStatus } from "../provider.ts";

export function containerStatus(info: Pick<ContainerInspectInfo, "State" | "RestartCount">): InstanceStatus {
  const { State: state } = info;
  const known = STATES[state.Status] ?? "exited";
  const ended = known === "exited" || known === "restarting";
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
  paused: "running",
  restarting: "restarting",
  removing: "exited",
  exited: "exited",
  dead: "exited",
};

function describe(state: ContainerInspectInfo["State"]): string | undefined {
  if (state.OOMKilled) return "out of memory";
  if (state.Error !== "") return printable(state.Error, 400);
  return state.Status === "paused" || state.Status === "dead" ? state.Status : undefined;
}
