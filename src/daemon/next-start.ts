/** Which changes of the configuration a reload can't make: what is open stays open. Pure; for the daemon's log. */
import type { Config } from "./config.ts";

/** Keys that count with the next start, in which `next` differs from what the daemon was started with. */
export function waitForStart(started: Config, next: Config): readonly string[] {
  return Object.entries(AT_START)
    .filter(([, read]) => JSON.stringify(read(started)) !== JSON.stringify(read(next)))
    .map(([key]) => key);
}

// --- internal ---

const AT_START: Readonly<Record<string, (config: Config) => unknown>> = {
  data_dir: (config) => config.data_dir,
  socket: (config) => config.socket,
  log_format: (config) => config.log_format,
  "providers.default": ({ providers }) => providers.default,
  "docker.socket": ({ docker }) => docker.socket,
  "secrets.key_file": ({ secrets }) => secrets.key_file,
  "plugins.files_max_bytes": ({ plugins }) => plugins.files_max_bytes,
  "plugins.files_max_count": ({ plugins }) => plugins.files_max_count,
};
