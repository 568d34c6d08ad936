/**
 * VOXELTRON_* in place of keys of the file: `[network] allow_private` is VOXELTRON_NETWORK_ALLOW_PRIVATE, lists are
 * separated by commas. One table; tables that the operator names himself (`[notify.NAME]`, `[plugins.config.NAME]`) are
 * in the file only. Called by config.ts.
 */
import type { Environment } from "../base/paths.ts";
import { didYouMean, printable } from "../base/text.ts";

type Tree = Record<string, unknown>;

export function environmentOverrides(file: Tree, environment: Environment): Tree {
  const result: Tree = { ...file };
  for (const { variable, path, kind } of VARIABLES) {
    const value = environment[variable];
    if (value === undefined || value === "") continue;
    place(result, path, READ[kind](value));
  }
  return result;
}

/** The variable that a key's value is from; undefined where it is from the file, or nowhere. */
export function variableOf(key: readonly string[], environment: Environment): string | undefined {
  const isOf = ({ path }: Variable): boolean => path.every((part, index) => key[index] === part);
  const found = VARIABLES.find(isOf)?.variable;
  return found === undefined || (environment[found] ?? "") === "" ? undefined : found;
}

/** What looks like one of ours and is none, in words: nobody would notice otherwise that a ceiling does not hold. */
export function unknownVariables(environment: Environment): readonly string[] {
  const known = ["VOXELTRON_CONFIG", ...VARIABLES.map(({ variable }) => variable)];
  return Object.keys(environment)
    .filter((name) => name.startsWith(PREFIX) && !known.includes(name))
    .map((name) => `${printable(name)} is no variable of voxeltron${meantBy(name, known)}`);
}

interface Variable {
  readonly variable: string;
  readonly path: readonly string[];
  readonly kind: Kind;
}

const KEYS: readonly (readonly [key: string, kind?: Kind])[] = [
  ["data_dir"],
  ["socket"],
  ["log_level"],
  ["log_format"],
  ["network.allow_private", "list"],
  ["providers.default"],
  ["docker.socket"],
  ["logs.max_bytes"],
  ["docker.allow_pull", "list"],
  ["docker.allow_network", "flag"],
  ["docker.allow_public_ports", "flag"],
  ["docker.allow_binds", "list"],
  ["docker.allow_devices", "list"],
  ["docker.allow_capabilities", "list"],
  ["docker.allow_host_network", "flag"],
  ["docker.allow_host_pid", "flag"],
  ["docker.allow_host_ipc", "flag"],
  ["docker.allow_privileged", "flag"],
  ["docker.allow_docker_socket", "flag"],
  ["proxy.http"],
  ["proxy.https"],
  ["proxy.response_timeout"],
  ["proxy.access_log"],
  ["tls.mode"],
  ["tls.fallback"],
  ["tls.acme_email"],
  ["tls.acme_directory"],
  ["tls.acme_ca_file"],
  ["tls.acme_eab_kid"],
  ["tls.acme_eab_key_file"],
  ["secrets.key_file"],
  ["plugins.idle_timeout"],
  ["plugins.ceiling", "list"],
  ["plugins.uid_range", "numbers"],
  ["plugins.allow_unconfined", "flag"],
  ["plugins.files_max_bytes"],
  ["plugins.files_max_count", "number"],
  ["plugins.quota.calls_per_second", "number"],
  ["plugins.quota.concurrent_calls", "number"],
  ["plugins.quota.bytes_per_second"],
  ["plugins.quota.notifications_per_minute", "number"],
  ["metrics.interval"],
  ["metrics.listen"],
  ["metrics.retention.raw"],
  ["metrics.retention.minute"],
  ["metrics.retention.hour"],
];

export const VARIABLES: readonly Variable[] = KEYS.map(([key, kind = "text"]) => ({
  variable: `VOXELTRON_${key.toUpperCase().replaceAll(".", "_")}`,
  path: key.split("."),
  kind,
}));

// --- internal ---

const PREFIX = "VOXELTRON_";

/** Compared without what they all begin with. */
function meantBy(name: string, known: readonly string[]): string {
  const bare = (text: string): string => text.slice(PREFIX.length);
  const meant = didYouMean(bare(name), known.map(bare));
  return meant === undefined ? "" : `; did you mean ${PREFIX}${meant}?`;
}

type Kind = "text" | "list" | "number" | "numbers" | "flag";

/** What is none of its kind stays text, so that the schema refuses it with the words that it has for the file. */
const READ: Readonly<Record<Kind, (value: string) => unknown>> = {
  text: (value) => value,
  list: parts,
  number,
  numbers: (value) => parts(value).map(number),
  flag: (value) => (value === "true" || value === "false" ? value === "true" : value),
};

function number(value: string): unknown {
  return /^\d+$/.test(value) ? Number(value) : value;
}

function parts(value: string): string[] {
  return value.split(",").map((part) => part.trim());
}

function place(tree: Tree, path: readonly string[], value: unknown): void {
  const [head = "", ...rest] = path;
  if (rest.length === 0) {
    tree[head] = value;
    return;
  }
  const child = { ...(tree[head] as Tree | undefined) };
  place(child, rest, value);
  tree[head] = child;
}
