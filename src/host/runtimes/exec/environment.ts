/**
 * All that an executable finds in its environment. It runs with the daemon's user, and still it is handed nothing that it has no use
 * for: the daemon's own variables may hold secrets. Pure. Called by daemon/compose-host.ts and
 * daemon/offline-check.ts.
 */
import type { Environment } from "../../../base/paths.ts";

export function executableEnvironment(daemon: Environment): Readonly<Record<string, string>> {
  const environment: Record<string, string> = {
    PATH: "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    LANG: "C.UTF-8",
    // A file beside its own would be a change of what was consented to.
    PYTHONDONTWRITEBYTECODE: "1",
  };
  for (const name of PASSED_ON) {
    const value = daemon[name];
    if (value !== undefined && value !== "") environment[name] = value;
  }
  return environment;
}

// --- internal ---

const PASSED_ON = ["PATH", "HOME", "LANG", "TZ", "TMPDIR", "XDG_RUNTIME_DIR"];
