/** Executables as plugins of tests: their files, and a plugin host that runs them behind the real door. */
import { systemClock } from "../src/base/clock.ts";
import { silentLog } from "../src/base/log.ts";
import { makeBroker, type Broker } from "../src/host/capabilities/broker.ts";
import { execMethods } from "../src/host/capabilities/exec.ts";
import { DEFAULT_QUOTA, type QuotaRates } from "../src/host/capabilities/quota.ts";
import type { PackageFiles } from "../src/host/package/package-files.ts";
import type { PluginsDeps } from "../src/host/plugins.ts";
import { executableEnvironment } from "../src/host/runtimes/exec/environment.ts";
import { makeExchange } from "../src/host/runtimes/exec/exchange.ts";
import { makeRunProgram } from "../src/host/runtimes/exec/run-program.ts";
import { openExecRoom } from "../src/host/runtimes/exec/room.ts";
import type { AuditLog } from "../src/host/capabilities/audit-desk.ts";

export interface ExecSample {
  readonly name?: string;
  readonly version?: string;
  readonly events?: readonly string[];
  /** A provider, with these actions beside those that every provider has. */
  readonly actions?: readonly string[];
  /** More lines of plugin.yaml. */
  readonly more?: string;
  /** What is run, without its first line. */
  readonly script?: string;
}

export function execTexts(sample: ExecSample = {}): Readonly<Record<"plugin.yaml" | "run", string>> {
  const { name = "hook", version = "1.0.0", events = ["on_deploy_success"], actions, more = "" } = sample;
  const kind =
    actions === undefined
      ? ["type: hook", `events: [${events.join(", ")}]`]
      : ["type: provider", `actions: [${actions.join(", ")}]`];
  return {
    "plugin.yaml": [`name: ${name}`, `version: "${version}"`, ...kind, "entrypoint: ./run", more].join("\n"),
    run: `#!/bin/sh\n${sample.script ?? ECHO}\n`,
  };
}

/** Answers with all that it was asked. */
export const ECHO = `printf '{"ok":true,"result":%s}' "$(cat)"`;

export function execPlugin(sample: ExecSample = {}): PackageFiles {
  return new Map(
    Object.entries(execTexts(sample)).map(([path, text]) => [
      path,
      { bytes: new TextEncoder().encode(text), executable: path === "run" },
    ]),
  );
}

export type AuditLine = Parameters<AuditLog["append"]>[0];

/** For makeWorld: the room of executables as the daemon has it, with what it did in `audit`. */
export function withExecutables(
  audit: AuditLine[] = [],
  environment: Readonly<Record<string, string>> = {},
  quota: QuotaRates = DEFAULT_QUOTA,
): (deps: PluginsDeps) => Partial<PluginsDeps> {
  return (deps) => {
    const broker: Broker = makeBroker({
      methods: execMethods(),
      callerOf: () => undefined,
      audit: { append: (line) => void audit.push(line) },
      pluginLogs: deps.logs,
      quota: () => quota,
      clock: systemClock,
      log: silentLog,
    });
    const runProgram = makeRunProgram({
      exchange: makeExchange(systemClock),
      environment: executableEnvironment(environment),
    });
    return {
      openRooms: { ...deps.openRooms, exec: openExecRoom(runProgram) },
      runProgram,
      doorFor: (plugin, callerOf) => broker.doorFor(plugin, callerOf),
      changed: (plugin) => broker.rightsChanged(plugin),
    };
  };
}
