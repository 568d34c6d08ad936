/**
 * Reads what an operator typed after `voxeltron deploy`. Whatever is wrong is `service.invalid` with what was wanted and what
 * was found; nothing has happened yet when it is thrown. Pure. Called by deploys.ts; what workspaces have too, by workspace-input.ts.
 */
import { fail } from "../../base/errors.ts";
import { LIMITS } from "../../base/limits.ts";
import { quote } from "../../base/text.ts";
import { parseAddress } from "../edge/address.ts";
import { parseCommand } from "./parse-command.ts";
import { parseDomains } from "./parse-domains.ts";
import { parseEnv } from "./parse-env.ts";
import { parseVolume } from "./parse-volume.ts";
import type { ServiceSpec } from "./service-spec.ts";

/** As it comes from the client. Absent: inherited. `"none"`, `""`, 0 and `[]` take away what was inherited. */
export interface DeployInput {
  readonly service: string;
  readonly image?: string | undefined;
  readonly upload?: string | undefined;
  /** In the uploaded folder; absent: `Dockerfile`, where it has one. */
  readonly dockerfile?: string | undefined;
  readonly buildArgs?: Readonly<Record<string, string>> | undefined;
  readonly command?: string | undefined;
  readonly port?: number | undefined;
  readonly publish?: string | undefined;
  readonly domains?: readonly string[] | undefined;
  readonly env?: Readonly<Record<string, string>> | undefined;
  readonly volumes?: readonly string[] | undefined;
  readonly memory?: string | undefined;
  readonly cpus?: number | undefined;
  readonly restart?: string | undefined;
  readonly provider?: string | undefined;
  /** `local`, or a name of the configuration. */
  readonly server?: string | undefined;
  readonly health?: string | undefined;
  readonly healthTimeoutMs?: number | undefined;
  readonly detach?: boolean | undefined;
}

/** What was said, parsed; what was not said has no key. */
export interface DeployRequest {
  readonly service: string;
  readonly image: string | undefined;
  readonly upload: string | undefined;
  readonly dockerfile: string | undefined;
  readonly buildArgs: Readonly<Record<string, string>> | undefined;
  readonly provider: string | undefined;
  readonly server: string | undefined;
  /** Added to the service's environment when the deploy succeeds. */
  readonly env: Readonly<Record<string, string>>;
  readonly changes: Changes;
}

export type Changes = Partial<Omit<ServiceSpec, "provider" | "server" | "source" | "env">>;

export function parseDeployInput(input: DeployInput): DeployRequest {
  const image = input.image === undefined ? undefined : parseImage(input.image);
  if (image !== undefined && input.upload !== undefined)
    throw fail("service.invalid", "a deploy takes an image or a folder, and got both");
  return {
    service: parseServiceName(input.service),
    image,
    upload: input.upload,
    ...parseBuild(input),
    provider: input.provider,
    server: input.server,
    env: parseEnv(input.env ?? {}),
    changes: parseChanges(input),
  };
}

export function parseServiceName(name: string): string {
  if (/^[a-z0-9][a-z0-9-]{0,62}$/.test(name)) return name;
  throw fail(
    "service.invalid",
    `a service's name has 1 to 63 lower-case letters, digits and dashes, and got ${quote(name)}`,
  );
}

/** `512m`, `1g`, `1.5GiB`, `65536`: bytes, in binary units. */
export function parseMemory(text: string): number {
  const match = /^(\d+(?:\.\d+)?)\s*(?:([kmgt])?(?:i?b)?)$/i.exec(text.trim());
  const bytes = Math.round(Number(match?.[1]) * (UNITS[match?.[2]?.toLowerCase() ?? ""] ?? Number.NaN));
  if (match === null || !Number.isSafeInteger(bytes))
    throw fail("service.invalid", `memory is a size such as 512m or 1g, and got ${quote(text)}`);
  if (bytes < MEMORY_LEAST)
    throw fail("service.invalid", `memory is at least 6m, and got ${quote(text)}`, {
      hint: "a number without a unit is bytes: write 512m for mebibytes",
    });
  return bytes;
}

// --- internal ---

const UNITS: Readonly<Record<string, number>> = { "": 1, k: 1024, m: 1024 ** 2, g: 1024 ** 3, t: 1024 ** 4 };
/** Docker refuses less. */
const MEMORY_LEAST = 6 * 1024 ** 2;
const NONE = "none";

function parseChanges(input: DeployInput): Changes {
  const { command, port, publish, domains, volumes, memory, cpus, restart, health, healthTimeoutMs } = input;
  return {
    ...(command === undefined ? {} : { command: command.trim() === "" ? undefined : parseCommand(command) }),
    ...(port === undefined ? {} : { port: port === 0 ? undefined : parsePort(port) }),
    ...(publish === undefined ? {} : { publish: publish === NONE ? undefined : parseAddress(publish) }),
    ...(domains === undefined ? {} : { domains: parseDomains(domains) }),
    ...(volumes === undefined ? {} : { volumes: volumes.map(parseVolume) }),
    ...(memory === undefined ? {} : { memoryBytes: memory === NONE ? undefined : parseMemory(memory) }),
    ...(cpus === undefined ? {} : { cpus: cpus === 0 ? undefined : parseCpus(cpus) }),
    ...(restart === undefined ? {} : { restart: parseRestart(restart) }),
    ...(health === undefined ? {} : { health: health === NONE ? undefined : parseHealth(health) }),
    ...(healthTimeoutMs === undefined ? {} : { healthTimeoutMs: parseHealthTimeout(healthTimeoutMs) }),
  };
}

/** Docker's grammar is the provider's business; what can't be a reference at all stops here. */
export function parseImage(image: string): string {
  if (/^[a-zA-Z0-9][\w.:/@-]{0,499}$/.test(image)) return image;
  throw fail("service.invalid", `an image is a reference such as nginx:1.27, and got ${quote(image)}`);
}

function parseBuild({
  upload,
  dockerfile,
  buildArgs,
}: DeployInput): Pick<DeployRequest, "dockerfile" | "buildArgs"> {
  if (upload === undefined && (dockerfile !== undefined || buildArgs !== undefined))
    throw fail("service.invalid", "an image is built from a folder, and none was sent", {
      hint: "name it with --path DIR",
    });
  return {
    dockerfile: dockerfile === undefined ? undefined : parseDockerfile(dockerfile),
    buildArgs: buildArgs === undefined ? undefined : parseEnv(buildArgs),
  };
}

function parseDockerfile(path: string): string {
  const parts = path.replace(/^(\.\/)+/, "").split("/");
  if (path.length <= LIMITS.uploadPathBytes && parts.every((part) => !["", ".", ".."].includes(part)))
    return parts.join("/");
  throw fail(
    "service.invalid",
    `a Dockerfile is a file in the folder, such as deploy/Dockerfile, and got ${quote(path)}`,
  );
}

function parsePort(port: number): number {
  if (Number.isInteger(port) && port >= 1 && port <= 65_535) return port;
  throw fail("service.invalid", `a port is a whole number from 1 to 65535, and got ${port}`);
}

export function parseCpus(cpus: number): number {
  if (cpus >= 0.01 && cpus <= 1024) return cpus;
  throw fail("service.invalid", `cpus is a number from 0.01 to 1024, such as 1.5, and got ${cpus}`);
}

function parseRestart(text: string): ServiceSpec["restart"] {
  if (text === "always" || text === "on-failure" || text === "no") return text;
  throw fail("service.invalid", `restart is always, on-failure or no, and got ${quote(text)}`);
}

function parseHealth(path: string): string {
  if (/^\/[\x21-\x7e]{0,999}$/.test(path)) return path;
  throw fail("service.invalid", `health is a path such as /healthz, and got ${quote(path)}`);
}

function parseHealthTimeout(ms: number): number {
  if (Number.isInteger(ms) && ms >= 1 && ms <= LIMITS.healthMaxMs) return ms;
  throw fail(
    "service.invalid",
    `the time to wait for health is 1 to ${LIMITS.healthMaxMs} milliseconds, and got ${ms}`,
  );
}
