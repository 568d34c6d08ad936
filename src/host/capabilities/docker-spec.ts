/**
 * What a plugin may ask a container to be: every key by name, and no other, in one spelling and one type each. What is known to
 * containers and is not here (namespaces of other containers, security options, sysctls, runtimes, drivers, groups …) can't be
 * said at all. Keys that the operator must open are refused behind the power, by his rules. Pure. Called by docker.ts.
 */
import * as v from "valibot";
import { LIMITS } from "../../base/limits.ts";

const MOUNT_TARGET =
  "an absolute path in the container, without . and .. and outside of /proc, /sys and /dev";

/** No NUL: the engine cuts there, or takes it for the end of a list. */
function textOf(max: number): v.GenericSchema<string, string> {
  const wanted = `a text of at most ${max} characters without NUL`;
  return v.pipe(
    v.string(wanted),
    v.maxLength(max, wanted),
    v.check((value) => !value.includes("\0"), wanted),
  );
}

const target = v.pipe(
  textOf(LIMITS.dockerArgChars),
  v.check((path) => isTarget(path), MOUNT_TARGET),
);

const readOnly = v.optional(v.boolean(), false);

const localName = v.pipe(
  v.string(),
  v.regex(/^[a-z0-9][a-z0-9_-]{0,62}$/, "1 to 63 lower-case letters, digits, dashes and underscores"),
);

const volume = v.pipe(
  v.strictObject({ name: localName, target, readOnly }),
  v.transform(({ name, ...mount }) => ({ source: name, ...mount })),
);

const bind = v.strictObject({ source: textOf(LIMITS.dockerArgChars), target, readOnly });

const portNumber = v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(65_535));

const port = v.strictObject({
  container: portNumber,
  host: v.optional(v.pipe(portNumber, v.minValue(1024, "a port from 1024"))),
  protocol: v.optional(v.picklist(["tcp", "udp"]), "tcp"),
  address: v.optional(v.pipe(v.string(), v.ip("an IP address")), "127.0.0.1"),
});

/** `ctx.docker.create(spec)`. */
export const containerSpec = v.strictObject({
  image: textOf(512),
  name: v.optional(localName),
  command: v.optional(few(textOf(LIMITS.dockerArgChars), LIMITS.dockerArgs)),
  env: v.optional(
    pairs(/^[A-Za-z_]\w{0,127}$/, textOf(LIMITS.dockerEnvValueChars), "names of variables"),
    {},
  ),
  labels: v.optional(
    pairs(/^[a-z0-9](?:[a-z0-9._/-]{0,126}[a-z0-9])?$/, labelValue(), "lower-case keys"),
    {},
  ),
  memory: v.optional(
    v.pipe(v.string(), v.regex(/^\d{1,12}(?:\.\d{1,3})?[kmg]?$/, "a size such as 512m or 1g")),
  ),
  cpus: v.optional(v.pipe(v.number(), v.minValue(0.01), v.maxValue(LIMITS.dockerCpusMax))),
  restart: v.optional(v.picklist(["no", "on-failure", "always"]), "no"),
  volumes: v.optional(few(volume, LIMITS.dockerMounts), []),
  ports: v.optional(few(port, LIMITS.dockerPorts), []),
  network: v.optional(v.picklist(["none", "default", "host"]), "none"),
  privileged: v.optional(v.boolean(), false),
  pid: v.optional(v.literal("host")),
  ipc: v.optional(v.literal("host")),
  binds: v.optional(few(bind, LIMITS.dockerMounts), []),
  devices: v.optional(few(textOf(LIMITS.dockerArgChars), LIMITS.dockerMounts), []),
  capabilities: v.optional(
    few(v.pipe(v.string(), v.regex(/^[A-Z][A-Z_]{1,30}$/, "a name such as NET_ADMIN")), LIMITS.dockerMounts),
    [],
  ),
});

// --- internal ---

/** Looked at before each of them is: a message has room for many. */
function few<S extends v.GenericSchema>(item: S, max: number) {
  const wanted = `a list of at most ${max}`;
  return v.pipe(
    v.custom<unknown[]>((value) => Array.isArray(value) && value.length <= max, wanted),
    v.array(item, wanted),
  );
}

/** Keys like `__proto__` are refused, not left out. */
function pairs(key: RegExp, value: v.GenericSchema<string, string>, what: string) {
  const wanted = `at most ${LIMITS.dockerArgs} ${what}, and none that are reserved`;
  return v.pipe(
    v.custom<Record<string, unknown>>((given) => arePairs(given, key), wanted),
    v.record(v.string(), value),
  );
}

function arePairs(given: unknown, key: RegExp): boolean {
  if (typeof given !== "object" || given === null || Array.isArray(given)) return false;
  const keys = Object.keys(given);
  return keys.length <= LIMITS.dockerArgs && keys.every((name) => key.test(name) && !RESERVED.test(name));
}

/** Ours, the engine's and its tools', and names that JavaScript has another use for. */
const RESERVED =
  /^(?:__proto__|prototype|constructor)$|^(?:voxeltron|com\.docker|io\.docker|org\.dockerproject)(?:[./_-]|$)/;

function labelValue(): v.GenericSchema<string, string> {
  const wanted = "a text of at most 1024 characters in one line";
  return v.pipe(v.string(wanted), v.maxLength(1024, wanted), v.regex(/^[^\p{Cc}]*$/u, wanted));
}

function isTarget(path: string): boolean {
  const isPlain = /^(?:\/(?!\.{1,2}(?:\/|$))[^/\p{Cc}]+)+$/u.test(path);
  return isPlain && !/^\/(?:proc|sys|dev)(?:\/|$)/.test(path);
}
