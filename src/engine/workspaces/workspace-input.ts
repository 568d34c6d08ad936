/**
 * Reads what an operator typed after `voxeltron workspace create`. Whatever is wrong is `workspace.invalid` with what was wanted and
 * what was found; nothing has happened yet when it is thrown. Pure. Called by workspaces.ts.
 */
import { fail, isVoxError } from "../../base/errors.ts";
import { quote } from "../../base/text.ts";
import { parseCpus, parseImage, parseMemory } from "../deploys/deploy-input.ts";
import { parseCommand } from "../deploys/parse-command.ts";
import { parseEnv } from "../deploys/parse-env.ts";
import { parseVolume } from "../deploys/parse-volume.ts";
import { LOCAL } from "../providers/providers.ts";
import { parsePorts } from "./parse-ports.ts";
import type { WorkspaceSpec } from "./workspace-spec.ts";

/** As it comes from the client: what the devbox plugin API calls CreateOpts, and where it shall run. */
export interface WorkspaceInput {
  readonly name: string;
  readonly image?: string | undefined;
  readonly provider?: string | undefined;
  readonly server?: string | undefined;
  /** A name or the port inside, and the host's port. */
  readonly ports?: Readonly<Record<string, number>> | undefined;
  readonly env?: Readonly<Record<string, string>> | undefined;
  readonly cpus?: number | undefined;
  readonly memory?: string | undefined;
  readonly volumes?: readonly string[] | undefined;
  readonly command?: string | undefined;
  /** Then starts it. */
  readonly start?: boolean | undefined;
}

export interface WorkspaceRequest {
  readonly name: string;
  readonly provider: string | undefined;
  readonly server: string;
  readonly spec: WorkspaceSpec;
  readonly start: boolean;
}

export function parseWorkspaceInput(input: WorkspaceInput): WorkspaceRequest {
  return ofWorkspaces(() => ({
    name: parseWorkspaceName(input.name),
    provider: input.provider,
    server: input.server ?? LOCAL,
    spec: {
      image: input.image === undefined ? undefined : parseImage(input.image),
      ports: parsePorts(input.ports ?? {}),
      env: parseEnv(input.env ?? {}),
      cpus: input.cpus === undefined ? undefined : parseCpus(input.cpus),
      memoryBytes: input.memory === undefined ? undefined : parseMemory(input.memory),
      volumes: (input.volumes ?? []).map(parseVolume),
      command:
        input.command === undefined || input.command.trim() === "" ? undefined : parseCommand(input.command),
    },
    start: input.start === true,
  }));
}

export function parseWorkspaceName(name: string): string {
  if (/^[a-z0-9][a-z0-9-]{0,62}$/.test(name)) return name;
  throw fail(
    "workspace.invalid",
    `a workspace's name has 1 to 63 lower-case letters, digits and dashes, and got ${quote(name)}`,
  );
}

// --- internal ---

/** What is read as for services is not a service's all the same. */
function ofWorkspaces<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (!isVoxError(error) || error.code !== "service.invalid") throw error;
    throw fail("workspace.invalid", error.message, { hint: error.hint, details: error.details });
  }
}
