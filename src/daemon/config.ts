/**
 * The operator's configuration: flags over VOXELTRON_* over the file over defaults. The whole file is checked before
 * anything starts, and again on reload; a key that is not known is an error, never ignored. Called by run.ts and by
 * `config check`.
 */
import { readFileSync, statSync } from "node:fs";
import * as v from "valibot";
import { fail, systemCode, unreadableBecause } from "../base/errors.ts";
import { LIMITS } from "../base/limits.ts";
import { LOG_LEVELS } from "../base/log.ts";
import { formatBytes } from "../base/text.ts";
import { choosePaths, defaultPaths, type Environment } from "../base/paths.ts";
import { checkToml, parseToml, type TomlSource } from "../base/toml.ts";
import { DEFAULT_DOCKER_SOCKET } from "../engine/providers/docker/endpoint.ts";
import { alerting, alertRules } from "../engine/alerts/rule-schema.ts";
import { tlsSchema } from "../engine/certs/tls-schema.ts";
import { channelSchema } from "../engine/notify/channel-schema.ts";
import { DEFAULT_QUOTA } from "../host/capabilities/quota.ts";
import { pluginName } from "../host/manifest/manifest-schema.ts";
import { ceiling, pluginCeilings } from "./config-ceiling.ts";
import { serversSchema } from "./config-servers.ts";
import { environmentOverrides, variableOf } from "./config-environment.ts";
import {
  absolutePath,
  actionTimeouts,
  bindFolders,
  byteRate,
  byteSize,
  count,
  DEFAULT_UID_RANGE,
  devicePath,
  dockerEndpoint,
  duration,
  flag,
  kernelCapability,
  logBytes,
  listenAddress,
  metricsInterval,
  pluginConfigValue,
  privateRule,
  proxyAddress,
  registryHost,
  uidRange,
} from "./config-values.ts";

/** Every key of the file. Optional keys have no default that one could write down (they depend on the machine). */
const configSchema = v.strictObject({
  data_dir: v.optional(absolutePath),
  socket: v.optional(absolutePath),
  log_level: v.optional(v.picklist(LOG_LEVELS), "info"),
  log_format: v.optional(v.picklist(["text", "json"]), "text"),
  network: v.optional(v.strictObject({ allow_private: v.optional(v.array(privateRule), []) }), {}),
  providers: v.optional(
    // A plugin can be one, and which are installed is not known here.
    v.strictObject({ default: v.optional(pluginName, "docker") }),
    {},
  ),
  docker: v.optional(
    v.strictObject({
      socket: v.optional(dockerEndpoint, DEFAULT_DOCKER_SOCKET),
      allow_pull: v.optional(v.array(registryHost), []),
      allow_network: v.optional(flag, false),
      allow_public_ports: v.optional(flag, false),
      allow_binds: v.optional(bindFolders, []),
      allow_devices: v.optional(v.array(devicePath), []),
      allow_capabilities: v.optional(v.array(kernelCapability), []),
      allow_host_network: v.optional(flag, false),
      allow_host_pid: v.optional(flag, false),
      allow_host_ipc: v.optional(flag, false),
      allow_privileged: v.optional(flag, false),
      allow_docker_socket: v.optional(flag, false),
    }),
    {},
  ),
  logs: v.optional(
    v.strictObject({ max_bytes: v.optional(logBytes, formatBytes(LIMITS.serviceLogBytes)) }),
    {},
  ),
  plugins: v.optional(
    v.strictObject({
      idle_timeout: v.optional(duration, `${LIMITS.pluginIdleMs}ms`),
      ceiling: v.optional(ceiling),
      ceilings: v.optional(pluginCeilings, {}),
      uid_range: v.optional(uidRange, DEFAULT_UID_RANGE),
      allow_unconfined: v.optional(flag, false),
      files_max_bytes: v.optional(byteSize, formatBytes(LIMITS.filesBytes)),
      files_max_count: v.optional(count, LIMITS.filesCount),
      quota: v.optional(
        v.strictObject({
          calls_per_second: v.optional(count, DEFAULT_QUOTA.calls_per_second),
          concurrent_calls: v.optional(
            v.pipe(count, v.maxValue(LIMITS.guestPendingCalls, `at most ${LIMITS.guestPendingCalls}`)),
            DEFAULT_QUOTA.concurrent_calls,
          ),
          bytes_per_second: v.optional(byteRate, formatBytes(DEFAULT_QUOTA.bytes_per_second)),
          notifications_per_minute: v.optional(count, LIMITS.notifyPerMinute),
        }),
        {},
      ),
      /** Of providers that are executables: how long their actions may take, by the plugin's name. */
      timeouts: v.optional(v.record(pluginName, actionTimeouts), {}),
      config: v.optional(v.record(pluginName, v.record(v.string(), pluginConfigValue)), {}),
    }),
    {},
  ),
  proxy: v.optional(
    v.strictObject({
      http: v.optional(proxyAddress),
      https: v.optional(proxyAddress),
      response_timeout: v.optional(duration, `${LIMITS.proxyResponseMs / 1000}s`),
      access_log: v.optional(absolutePath),
    }),
    {},
  ),
  tls: v.optional(tlsSchema, {}),
  servers: v.optional(serversSchema, {}),
  secrets: v.optional(v.strictObject({ key_file: v.optional(absolutePath) }), {}),
  notify: v.optional(v.record(v.string(), channelSchema), {}),
  alerts: v.optional(alertRules, []),
  alerting: v.optional(alerting, {}),
  metrics: v.optional(
    v.strictObject({
      interval: v.optional(metricsInterval, "10s"),
      /** How long is kept what was measured, and its means of minutes and of hours. */
      retention: v.optional(
        v.strictObject({
          raw: v.optional(duration, "6h"),
          minute: v.optional(duration, "7d"),
          hour: v.optional(duration, "365d"),
        }),
        {},
      ),
      listen: v.optional(listenAddress),
    }),
    {},
  ),
});

export type ConfigFile = v.InferOutput<typeof configSchema>;

export interface Config extends ConfigFile {
  /** Where it came from; undefined where there is no file. */
  readonly file: string | undefined;
  readonly data_dir: string;
  readonly socket: string;
}

export interface ConfigFlags {
  readonly config?: string | undefined;
  readonly dataDir?: string | undefined;
  readonly socket?: string | undefined;
}

/** Throws `config.unreadable` or `config.invalid`. A default file that does not exist is no error; one that was named is. */
export function loadConfig(flags: ConfigFlags, environment: Environment, uid: number): Config {
  const defaults = defaultPaths(environment, uid);
  const named = flags.config ?? environment["VOXELTRON_CONFIG"];
  const text = readConfig(named ?? defaults.configFile, named !== undefined);
  const source: TomlSource = {
    text: text ?? "",
    file: named ?? defaults.configFile,
    code: "config.invalid",
    isSecret: ([head, , key]) => head === "notify" && key !== "type",
    elsewhere: (path) => variableOf(path, environment),
  };
  const fromFile = parseToml(source);
  const parsed = checkToml(source, environmentOverrides(fromFile, environment), configSchema);
  const { dataDir, socket } = choosePaths(
    [
      flags,
      { dataDir: environment["VOXELTRON_DATA_DIR"], socket: environment["VOXELTRON_SOCKET"] },
      { dataDir: parsed.data_dir, socket: parsed.socket },
    ],
    defaults,
  );
  return { ...parsed, file: text === undefined ? undefined : source.file, data_dir: dataDir, socket };
}

// --- internal ---

function readConfig(file: string, mustExist: boolean): string | undefined {
  try {
    const { size } = statSync(file);
    if (size > LIMITS.configBytes)
      throw new Error(`it has ${size} bytes, at most ${LIMITS.configBytes} are read`);
    return new TextDecoder("utf-8", { fatal: true }).decode(readFileSync(file));
  } catch (error) {
    if (!mustExist && systemCode(error) === "ENOENT") return undefined;
    throw fail("config.unreadable", `the configuration ${file} can't be read: ${unreadableBecause(error)}`, {
      details: { file },
    });
  }
}
