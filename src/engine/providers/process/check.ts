/** What a supervised process can't do is refused before anything is made. Pure. Called by provider.ts. */
import { fail } from "../../../base/errors.ts";
import type { InstanceSpec } from "../provider.ts";

/** Throws `provider.unsupported`. `platform` is `process.platform`. */
export function checkProcessSpec(spec: InstanceSpec, platform: string): void {
  if (platform !== "linux") {
    throw fail("provider.unsupported", `the provider process needs Linux, found ${platform}`);
  }
  const rows = spec.workspace === undefined ? [...OF_SERVICES, ...OF_ALL] : [...OF_WORKSPACES, ...OF_ALL];
  const refused = rows.find((row) => row.given(spec));
  if (refused !== undefined) {
    throw fail("provider.unsupported", `the provider process ${refused.reason}`, { hint: refused.hint });
  }
}

// --- internal ---

const DOCKER_CAN = "the provider docker can: --provider docker --image NAME";

interface Refused {
  readonly given: (spec: InstanceSpec) => boolean;
  readonly reason: string;
  readonly hint: string;
}

const OF_WORKSPACES: readonly Refused[] = [
  {
    given: (spec) => spec.image !== undefined,
    reason: "runs a command in a folder of its own, found an image",
    hint: DOCKER_CAN,
  },
  {
    given: (spec) => spec.command === undefined,
    reason: "runs a command, found none",
    hint: 'give one with --command, such as: --command "sleep infinity"',
  },
  {
    given: ({ ports }) => ports.some(({ inside, outside }) => inside !== outside),
    reason: "can't lead one port to another: the program listens on the host's own",
    hint: "give it a name, such as app=8080, and have the program listen on $PORT_APP",
  },
];

const OF_SERVICES: readonly Refused[] = [
  { given: (spec) => spec.image !== undefined, reason: "runs a folder, found an image", hint: DOCKER_CAN },
  {
    given: (spec) => spec.directory === undefined,
    reason: "runs a folder, found none",
    hint: "name one with --path",
  },
];

const OF_ALL: readonly Refused[] = [
  { given: (spec) => spec.memoryBytes !== undefined, reason: "can't limit memory", hint: DOCKER_CAN },
  { given: (spec) => spec.cpus !== undefined, reason: "can't limit CPUs", hint: DOCKER_CAN },
  {
    given: (spec) => spec.volumes.length > 0,
    reason: "has no volumes: the program sees the host's own files",
    hint: DOCKER_CAN,
  },
];
