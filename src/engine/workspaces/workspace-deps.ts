/** What workspaces need from outside. Composed by the daemon; faked by tests. */
import type { Clock } from "../../base/clock.ts";
import type { Log } from "../../base/log.ts";
import type { WorkspaceRows } from "../../state/workspaces.ts";
import type { Events } from "../events/events.ts";
import type { RegistryAuth } from "../providers/provider.ts";
import type { Providers } from "../providers/providers.ts";
import type { Redaction } from "../secrets/redaction.ts";

export interface WorkspaceDeps {
  readonly rows: WorkspaceRows;
  readonly events: Events;
  readonly providers: Providers;
  readonly defaultProvider: string;
  /** The installation's id: instances that carry it are ours to remove. */
  readonly owner: string;
  /** How plugins are told of a server: `local`, or its host. */
  readonly hostOf: (server: string) => string;
  readonly registryAuth: (image: string) => RegistryAuth | undefined;
  /** Takes secrets out of what instances, engines and plugins say, before it is kept or shown. */
  readonly redaction: Pick<Redaction, "all">;
  /** Whether nothing listens there on this machine. */
  readonly isPortFree: (port: number) => boolean;
  /** The service that has this loopback port, running or not. */
  readonly serviceAt: (port: number) => string | undefined;
  readonly clock: Clock;
  readonly log: Log;
}
