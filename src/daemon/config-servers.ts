/**
 * `[servers.NAME]`: other machines with a Docker engine. An engine's API is root on its machine, so it is spoken to encrypted and by
 * certificates, or through a socket of this machine; anything else only where the operator says so. Read by config.ts.
 */
import ipaddr from "ipaddr.js";
import * as v from "valibot";
import { fail } from "../base/errors.ts";
import { INSTANCE_PORTS } from "../engine/ports.ts";
import { parseDockerEndpoint, type DockerEndpoint } from "../engine/providers/docker/endpoint.ts";
import { isLoopback, type ServerSettings } from "../engine/providers/docker/site.ts";
import { LOCAL } from "../engine/providers/providers.ts";
import { absolutePath, flag } from "./config-values.ts";

const serverName = v.pipe(
  v.string(),
  v.regex(/^[a-z0-9][a-z0-9-]{0,62}$/, "a name of 1 to 63 lower-case letters, digits and dashes"),
  v.check((name) => !RESERVED.has(name), `a name other than ${LOCAL}, which is this machine, and all`),
);

const endpoint = v.pipe(
  v.string(),
  v.check(
    (text) => /^(unix|tcp):\/\//.test(text) && parseDockerEndpoint(text) !== undefined,
    "unix:///path or tcp://host:port",
  ),
);

const host = v.pipe(
  v.string(),
  v.check((text) => isHost(text), "a host's name or an IP address"),
);

const bindAddress = v.pipe(
  v.string(),
  v.check((text) => isIp(text), "an IP address of the server"),
);

const wantedPorts = "the first and the last of a range of ports, from 1 to 65535";

const portRange = v.pipe(
  v.array(v.pipe(v.number(wantedPorts), v.integer(wantedPorts)), wantedPorts),
  v.check((ports) => isPortRange(ports), wantedPorts),
  v.transform(([first = 0, last = 0]) => ({ first, last })),
);

const serverSchema = v.pipe(
  v.strictObject({
    docker: endpoint,
    ca: v.optional(absolutePath),
    cert: v.optional(absolutePath),
    key: v.optional(absolutePath),
    tls_name: v.optional(host),
    address: v.optional(host),
    bind: v.optional(bindAddress),
    ports: v.optional(portRange, [INSTANCE_PORTS.first, INSTANCE_PORTS.last]),
    allow_unencrypted: v.optional(flag, false),
  }),
  v.rawTransform<ServerTable, ServerSettings>(({ dataset, addIssue, NEVER }) => {
    const problem = problemOf(dataset.value);
    if (problem === undefined) return settingsOf(dataset.value);
    addIssue({ message: problem });
    return NEVER;
  }),
);

export const serversSchema = v.record(serverName, serverSchema);

/** Throws `server.unknown`, for a name that was there once. */
export function serverOf(servers: Readonly<Record<string, ServerSettings>>, name: string): ServerSettings {
  const found = Object.hasOwn(servers, name) ? servers[name] : undefined;
  if (found !== undefined) return found;
  throw fail("server.unknown", `the server ${name} is no longer in the configuration`, {
    hint: `put [servers.${name}] back, or deploy to another server with --server`,
  });
}

// --- internal ---

interface ServerTable {
  readonly docker: string;
  readonly ca?: string | undefined;
  readonly cert?: string | undefined;
  readonly key?: string | undefined;
  readonly tls_name?: string | undefined;
  readonly address?: string | undefined;
  readonly bind?: string | undefined;
  readonly ports: { readonly first: number; readonly last: number };
  readonly allow_unencrypted: boolean;
}

/** `all` stands for every container in a plugin's scope, and may come to stand for every server. */
const RESERVED: ReadonlySet<string> = new Set([LOCAL, "all"]);

function problemOf(table: ServerTable): string | undefined {
  const { docker, ca, cert, key, tls_name: tlsName, allow_unencrypted: allowed } = table;
  const files = [ca, cert, key].filter((file) => file !== undefined);
  if (files.length !== 0 && files.length !== 3) return "ca, cert and key, all of them or none";
  const isSocket = docker.startsWith("unix://");
  if (isSocket && files.length > 0) return "no ca, cert and key for a socket of this machine";
  if (tlsName !== undefined && files.length === 0) return "tls_name only with ca, cert and key";
  const parsed = plainEndpoint(docker);
  if (files.length === 3 || "socketPath" in parsed || isLoopback(parsed.host) || allowed) return undefined;
  return (
    "ca, cert and key: without them the engine takes orders from everybody who reaches it, and what it is told can be read on the way; " +
    "or allow_unencrypted = true"
  );
}

function settingsOf(table: ServerTable): ServerSettings {
  const { docker, ca, cert, key, bind, ports } = table;
  const plain = plainEndpoint(docker);
  const isSecure = ca !== undefined && cert !== undefined && key !== undefined && !("socketPath" in plain);
  const reached: DockerEndpoint = isSecure
    ? { ...plain, protocol: "https", files: { ca, cert, key }, tlsName: table.tls_name }
    : plain;
  const address = table.address ?? ("socketPath" in plain ? "127.0.0.1" : plain.host);
  return {
    endpoint: reached,
    address: plainIp(address),
    bind: bind === undefined ? undefined : plainIp(bind),
    ports,
  };
}

function plainEndpoint(docker: string) {
  const parsed = parseDockerEndpoint(docker);
  if (parsed === undefined) throw new Error("an endpoint that was checked before");
  return parsed;
}

/** `0.0.0.0` is everywhere, and nowhere to connect to. */
function isHost(text: string): boolean {
  if (isIp(text)) return ipaddr.parse(text).range() !== "unspecified";
  return text.length <= 253 && /^(?!\d+(?:\.\d+)*$)[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?$/i.test(text);
}

function isIp(text: string): boolean {
  return ipaddr.IPv4.isValidFourPartDecimal(text) || (ipaddr.IPv6.isValid(text) && !text.includes("%"));
}

function plainIp(text: string): string {
  return isIp(text) ? ipaddr.parse(text).toString() : text;
}

function isPortRange(ports: readonly number[]): boolean {
  const [first = 0, last = 0] = ports;
  return ports.length === 2 && first >= 1 && last <= 65_535 && first <= last;
}
