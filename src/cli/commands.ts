/** Every command, in the order of the help. */
import type { Command } from "./command.ts";
import { alertCommands } from "./commands/alert.ts";
import { certCommands } from "./commands/cert.ts";
import { configCommands } from "./commands/config.ts";
import { daemonCommands } from "./commands/daemon.ts";
import { deploy } from "./commands/deploy.ts";
import { doctor } from "./commands/doctor.ts";
import { envCommands } from "./commands/env.ts";
import { eventCommands } from "./commands/events.ts";
import { exec } from "./commands/exec.ts";
import { logs } from "./commands/logs.ts";
import { notifyCommands } from "./commands/notify.ts";
import { metrics } from "./commands/metrics.ts";
import { pluginAudit } from "./commands/plugin-audit.ts";
import { pluginCheck } from "./commands/plugin-check.ts";
import { pluginGrantCommands } from "./commands/plugin-grants.ts";
import { pluginDev } from "./commands/plugin-dev.ts";
import { pluginInstall } from "./commands/plugin-install.ts";
import { pluginCommands } from "./commands/plugin.ts";
import { registryCommands } from "./commands/registry.ts";
import { serverCommands } from "./commands/server.ts";
import { rollback } from "./commands/rollback.ts";
import { secretCommands } from "./commands/secret.ts";
import { serviceCommands } from "./commands/service.ts";
import { workspaceCreate } from "./commands/workspace-create.ts";
import { workspaceUse } from "./commands/workspace-use.ts";
import { workspaceCommands } from "./commands/workspace.ts";

export const commands: readonly Command[] = [
  ...daemonCommands,
  doctor,
  pluginInstall,
  ...pluginCommands,
  pluginCheck,
  pluginDev,
  ...pluginGrantCommands,
  pluginAudit,
  deploy,
  rollback,
  ...serviceCommands,
  logs,
  metrics,
  exec,
  workspaceCreate,
  ...workspaceCommands,
  ...workspaceUse,
  ...envCommands,
  ...secretCommands,
  ...certCommands,
  ...eventCommands,
  ...notifyCommands,
  ...alertCommands,
  ...registryCommands,
  ...serverCommands,
  ...configCommands,
];
