/** Kinds of values that the configuration shares: each a schema whose message says what is wanted. */
import { isAbsolute } from "node:path";
import * as v from "valibot";
import { parseDuration } from "../base/duration.ts";
import { parseDockerEndpoint, type DockerEndpoint } from "../engine/providers/docker/connect.ts";
import { parsePrivateRule, type PrivateRule } from "../platform/http/address-policy.ts";

export const absolutePath = v.pipe(v.string(), v.check(isAbsolute, "an absolute path"));

/** "5m", "30s", "250ms": milliseconds in the output. */
export const duration = v.pipe(
  v.string(),
  v.check((text) => parseDuration(text) !== undefined, 'a duration such as "30s", "5m" or "1h"'),
  v.transform((text) => parseDuration(text) ?? 0),
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

export const pluginConfigValue = v.union([v.string(), v.number(), v.boolean(), v.array(v.string())]);
