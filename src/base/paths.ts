/**
 * Where things are when nobody says otherwise, and who wins when several do. Pure: environment and user id come in, paths
 * go out. The daemon and its clients decide with the same functions, so that they meet at the same socket.
 */
import { isAbsolute, join } from "node:path";
import { fail } from "./errors.ts";

export interface Paths {
  readonly configFile: string;
  readonly dataDir: string;
  readonly socket: string;
}

export type Environment = Readonly<Record<string, string | undefined>>;

/** Root gets the system's places, anyone else those of XDG. Throws `usage.invalid` where there is no home to start from. */
export function defaultPaths(environment: Environment, uid: number): Paths {
  if (uid === 0)
    return {
      configFile: "/etc/voxeltron/config.toml",
      dataDir: "/var/lib/voxeltron",
      socket: SYSTEM_SOCKET,
    };
  const configHome = xdg(environment, "XDG_CONFIG_HOME", ".config");
  const dataDir = join(xdg(environment, "XDG_DATA_HOME", ".local/share"), "voxeltron");
  const runtimeDir = absolute(environment["XDG_RUNTIME_DIR"]);
  return {
    configFile: join(configHome, "voxeltron", "config.toml"),
    dataDir,
    socket: runtimeDir === undefined ? socketBeside(dataDir) : join(runtimeDir, "voxeltron.sock"),
  };
}

/** Where root's daemon listens. */
export const SYSTEM_SOCKET = "/run/voxeltron/voxeltron.sock";

/** A choice of places; what is absent is left to the next source. */
export interface PathChoice {
  readonly dataDir?: string | undefined;
  readonly socket?: string | undefined;
}

/**
 * Strongest first (flags, then environment, then file). The first that names a socket or a data directory decides on the
 * socket: a daemon with a data directory of its own also has a socket of its own.
 */
export function choosePaths(
  choices: readonly PathChoice[],
  defaults: Pick<Paths, "dataDir" | "socket">,
): Required<{ [K in keyof PathChoice]: string }> {
  const dataDir = choices.find((choice) => choice.dataDir !== undefined)?.dataDir ?? defaults.dataDir;
  const decisive = choices.find((choice) => choice.socket !== undefined || choice.dataDir !== undefined);
  if (decisive === undefined) return { dataDir, socket: defaults.socket };
  return { dataDir, socket: decisive.socket ?? socketBeside(dataDir) };
}

/** What a data directory holds, for the daemon and for those who look while it does not run. */
export function databaseFile(dataDir: string): string {
  return join(dataDir, "voxeltron.db");
}

/** Where the daemon keeps what is installed. Nobody but it puts anything there. */
export function packagesDir(dataDir: string): string {
  return join(dataDir, "packages");
}

/** Where it kept that before drop-ins came. */
export function formerPackagesDir(dataDir: string): string {
  return join(dataDir, "plugins");
}

/**
 * Where an operator drops plugins, in the order in which they count. The second is as the devbox plugin API has it, and follows the
 * HOME of the daemon's user, not XDG_CONFIG_HOME.
 */
export function dropInFolders(dataDir: string, home: string | undefined): readonly string[] {
  const folders = [join(dataDir, "plugins"), ...(home === undefined ? [] : [devboxPlugins(home)])];
  return [...new Set(folders)];
}

export function devboxPlugins(home: string): string {
  return join(home, ".config", "devbox", "plugins");
}

// --- internal ---

/** The socket of a daemon whose data directory was chosen and whose socket was not. */
function socketBeside(dataDir: string): string {
  return join(dataDir, "voxeltron.sock");
}

function xdg(environment: Environment, variable: string, fallback: string): string {
  const chosen = absolute(environment[variable]);
  if (chosen !== undefined) return chosen;
  const home = absolute(environment["HOME"]);
  if (home !== undefined) return join(home, fallback);
  throw fail("usage.invalid", `neither ${variable} nor HOME names a directory to work in`, {
    hint: "set HOME, or pass --config, --data-dir and --socket",
  });
}

/** XDG says: a relative path is invalid and to be ignored. */
function absolute(path: string | undefined): string | undefined {
  return path !== undefined && isAbsolute(path) ? path : undefined;
}
