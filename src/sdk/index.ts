/**
 * `@voxeltron/sdk`: types and helpers for plugin authors. Importable in a plugin as a type or as a value with nothing
 * installed: the daemon's bundler provides it.
 */
export { CAPABILITIES, CAPABILITY_NAMES, isCapability } from "./capabilities.ts";
export type { Capability, CapabilityInfo, Risk } from "./capabilities.ts";
export type {
  ConfigValue,
  FileEntry,
  FileRange,
  FileStat,
  MetricsQuery,
  MetricsReader,
  MetricsSeries,
  Notifier,
  NotifyMessage,
  PluginContext,
  PluginError,
  PluginFiles,
  PluginLog,
  PluginStore,
  Secrets,
  Severity,
} from "./context.ts";
export type {
  Container,
  ContainerDetails,
  ContainerEvent,
  ContainerMount,
  ContainerPort,
  Containers,
  ContainerSpec,
  ContainerUsage,
} from "./docker.ts";
export type {
  AlertEvent,
  BackupEvent,
  CertEvent,
  DeployEvent,
  EventBase,
  EventOf,
  VoxeltronEvent,
  WorkspaceEvent,
} from "./events.ts";
export type { LogFilter, LogLevel, LogLine, ServiceLogs } from "./logs.ts";
export { HOOK_NAMES, HOOKS, isHookName } from "./hooks.ts";
export type { GateRule, HookInfo, HookName } from "./hooks.ts";
export type { Connection, ConnectOptions, PluginNetwork } from "./network.ts";
export { isMetric, METRIC_NAMES, METRICS } from "./metrics.ts";
export type { MetricInfo, MetricName } from "./metrics.ts";
export { definePlugin } from "./plugin.ts";
export type { VoxeltronPlugin } from "./plugin.ts";
