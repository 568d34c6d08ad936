/** Kinds of values that the configuration shares: each a schema whose message says what is wanted. */
import { isAbsolute } from "node:path";
import * as v from "valibot";
import { parseByteSize } from "../base/byte-size.ts";
import { parseDuration } from "../base/duration.ts";
import { LIMITS } from "../base/limits.ts";
import { PROVIDER_ACTIONS, type ProviderAction } from "../base/provider-actions.ts";
import { formatBytes } from "../base/text.ts";
import { parseAddress, type Address } from "../engine/edge/address.ts";
import { parseDockerEndpoint, type DockerEndpoint } from "../engine/providers/docker/endpoint.ts";
import { isPlainPath } from "../engine/providers/docker/containers/bind-source.ts";
import { plainCapability } from "../engine/providers/docker/containers/rules.ts";
import { parsePrivateRule, type PrivateRule } from "../platform/http/address-policy.ts";

/** Smaller ones are the system's own accounts, larger ones are negative numbers to some programs. */
export const UID_MIN = 1_000;
const UID_MAX = 2 ** 31 - 2;

export const absolutePath = v.pipe(v.string(), v.check(isAbsolute, "an absolute path"));

/** "5m", "30s", "250ms": milliseconds in the output. */
export const duration = v.pipe(
  v.string(),
  v.check((text) => parseDuration(text) !== undefined, 'a duration such as "30s", "5m" or "1h"'),
  v.transform((text) => parseDuration(text) ?? 0),
);

/** `create = "20m"`: milliseconds by action in the output. */
export const actionTimeouts = v.strictObject(
  Object.fromEntries(PROVIDER_ACTIONS.map((action) => [action, v.optional(actionTimeout())])) as Record<
    ProviderAction,
    v.OptionalSchema<ReturnType<typeof actionTimeout>, undefined>
  >,
);

const wantedSize = 'a size such as "512 MiB" or "2 GiB", or a number of bytes';

/** "512 MiB", "2GiB", 4096: bytes in the output. */
export const byteSize = v.pipe(
  v.union([v.string(), v.number()], wantedSize),
  v.check((value) => parseByteSize(`${value}`) !== undefined, wantedSize),
  v.transform((value) => parseByteSize(`${value}`) ?? 0),
);

/** How often is measured: milliseconds in the output. */
export const metricsInterval = v.pipe(
  duration,
  v.check(
    (ms) => ms >= LIMITS.metricsIntervalMinMs && ms <= LIMITS.metricsIntervalMaxMs,
    "a duration from 1s to 60s",
  ),
);

/** `127.0.0.1:9464`, `[::1]:9464`: an address of this host in the output; a port alone is refused, as it would mean all of them. */
export const listenAddress = v.pipe(
  v.string(),
  v.check((text) => readAddress(text) !== undefined, "an IP address and a port such as 127.0.0.1:9464"),
  v.transform((text) => readAddress(text) as Address),
);

/** `:80`, `0.0.0.0:80`, `[::1]:8443`: the same, and without a host every address, as whoever writes the colon means it. */
export const proxyAddress = v.pipe(
  v.string(),
  v.check(
    (text) => readAnyAddress(text) !== undefined,
    "an address and a port such as :80 or 127.0.0.1:8080",
  ),
  v.transform((text) => readAnyAddress(text) as Address),
);

/** `10.0.0.0/8`, `fd00::/8`, `localhost:8080`: a rule of the network policy in the output. */
export const privateRule = v.pipe(
  v.string(),
  v.check((text) => parsePrivateRule(text) !== undefined, "a network such as 10.0.0.0/8, or host:port"),
  v.transform((text) => parsePrivateRule(text) as PrivateRule),
);

/** `/var/run/docker.sock`, `unix:///path`, `tcp://host:port`: an endpoint in the output. */
export const dockerEndpoint = v.pipe(
  v.string(),
  v.check(
    (text) => parseDockerEndpoint(text) !== undefined,
    "an absolute path, unix:///path or tcp://host:port",
  ),
  v.transform((text) => parseDockerEndpoint(text) as DockerEndpoint),
);

/** Between systemd's ranges for containers and for foreign files: no distribution gives these to anybody. */
export const DEFAULT_UID_RANGE = [1_900_000_000, 1_900_065_535];

const wantedRange = `the first and the last of at least two ids, from ${UID_MIN} to ${UID_MAX} and without 65534 and 65535`;

/** `[first, last]`: user ids, which are taken as group ids too. */
export const uidRange = v.pipe(
  v.array(v.number(wantedRange), wantedRange),
  v.check((ids) => isUidRange(ids), wantedRange),
  v.transform(([first = 0, last = 0]) => ({ first, last })),
);

export const flag = v.boolean("true or false");

export const byteRate = v.pipe(byteSize, v.minValue(1, "a size of at least 1 B"));

/** What one service's log may have on disk. */
export const logBytes = v.pipe(
  byteSize,
  v.minValue(LIMITS.serviceLogLeastBytes, `a size of at least ${formatBytes(LIMITS.serviceLogLeastBytes)}`),
);

const bindFolder = v.pipe(
  v.string(),
  v.check((path) => isPlainPath(path) && path !== "/", "an absolute path without . and .."),
);

/** One inside the other could be swapped for a link by a container that has the outer one. */
export const bindFolders = v.pipe(
  v.array(bindFolder),
  v.check(
    (paths) => !paths.some((path) => paths.some((other) => path !== other && path.startsWith(`${other}/`))),
    "folders of which none lies inside another",
  ),
);

export const devicePath = v.pipe(
  v.string(),
  v.check((path) => isPlainPath(path) && path.startsWith("/dev/"), "a path below /dev"),
);

/** `NET_ADMIN`, `CAP_NET_ADMIN`: without the prefix in the output. `ALL` is what allow_privileged is for. */
export const kernelCapability = v.pipe(
  v.string(),
  v.regex(/^(?!ALL$)(?:CAP_)?[A-Z][A-Z_]+$/, "a capability of the kernel, such as NET_ADMIN"),
  v.transform(plainCapability),
);

export const registryHost = v.pipe(
  v.string(),
  v.regex(/^[a-z0-9][a-z0-9.-]*(?::\d{1,5})?$/, "the host of a registry, such as docker.io"),
);
const wantedCount = "a whole number, at least 1";

export const count = v.pipe(v.number(wantedCount), v.integer(wantedCount), v.minValue(1, wantedCount));

export const pluginConfigValue = v.union([v.string(), v.number(), v.boolean(), v.array(v.string())]);

// --- internal ---

function actionTimeout() {
  const most = LIMITS.execActionMaxMs;
  const wanted = `a duration such as "30s" or "20m", more than nothing and at most ${most / 60_000} minutes`;
  return v.pipe(duration, v.minValue(1, wanted), v.maxValue(most, wanted));
}

function readAddress(text: string): Address | undefined {
  try {
    return text.includes(":") ? parseAddress(text) : undefined;
  } catch {
    return undefined;
  }
}

/** Also IPv4 comes in at `::`. */
function readAnyAddress(text: string): Address | undefined {
  return readAddress(text.startsWith(":") && !text.startsWith("::") ? `[::]${text}` : text);
}

function isUidRange(value: readonly number[]): boolean {
  const [first = 0, last = 0] = value;
  return (
    value.length === 2 &&
    value.every((id) => Number.isInteger(id) && id >= UID_MIN && id <= UID_MAX) &&
    first < last &&
    // `nobody`, and what older programs take for an error.
    !(first <= 65_535 && last >= 65_534)
  );
}
