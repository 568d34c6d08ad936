/**
 * Where this command finds its daemon and its data: flags, then VOXELTRON_*, then the configuration file, then the defaults.
 * The file is read only if flags and environment leave the question open, and only for the two keys that matter here.
 */
import { readFile } from "node:fs/promises";
import { resolve } from "node:path";
import { fail, messageOf, systemCode, unreadableBecause } from "../base/errors.ts";
import { choosePaths, defaultPaths, type Environment, type PathChoice, type Paths } from "../base/paths.ts";
import { quote } from "../base/text.ts";

export interface Place {
  /** The configuration file, there or not, and whether someone named it. */
  configFile(): { readonly path: string; readonly named: boolean };
  /** Throws `config.unreadable` or `config.invalid` where the file has to be asked and can't be. */
  socket(): Promise<string>;
  dataDir(): Promise<string>;
  /** Starts the daemon that these flags mean. */
  startCommand(): string;
}

/** The flags that say where. */
export interface PlaceFlags {
  readonly config: string | undefined;
  readonly dataDir: string | undefined;
  readonly socket: string | undefined;
}

export function makePlace(flags: PlaceFlags, environment: Environment, uid: number): Place {
  const chosen: readonly PathChoice[] = [
    { dataDir: absolute(flags.dataDir), socket: absolute(flags.socket) },
    {
      dataDir: absolute(environment["VOXELTRON_DATA_DIR"]),
      socket: absolute(environment["VOXELTRON_SOCKET"]),
    },
  ];
  const named = flags.config ?? nonEmpty(environment["VOXELTRON_CONFIG"]);

  function configFile(): { readonly path: string; readonly named: boolean } {
    return named === undefined
      ? { path: defaultPaths(environment, uid).configFile, named: false }
      : { path: resolve(named), named: true };
  }

  async function paths(settled: (choice: PathChoice) => boolean): Promise<Pick<Paths, "dataDir" | "socket">> {
    if (chosen.some(settled)) return choosePaths(chosen, { dataDir: "", socket: "" });
    return choosePaths([...chosen, await readChoice(configFile())], defaultPaths(environment, uid));
  }

  return {
    configFile,
    async socket() {
      return (await paths((choice) => choice.socket !== undefined || choice.dataDir !== undefined)).socket;
    },
    async dataDir() {
      return (await paths((choice) => choice.dataDir !== undefined)).dataDir;
    },
    startCommand: () =>
      [
        "voxeltron daemon",
        ...Object.entries({ "--config": flags.config, "--data-dir": flags.dataDir, "--socket": flags.socket })
          .filter(([, value]) => value !== undefined)
          .map(([name, value]) => `${name} ${value}`),
      ].join(" "),
  };
}

// --- internal ---

function absolute(path: string | undefined): string | undefined {
  const given = nonEmpty(path);
  return given === undefined ? undefined : resolve(given);
}

function nonEmpty(text: string | undefined): string | undefined {
  return text === "" ? undefined : text;
}

async function readChoice(file: { readonly path: string; readonly named: boolean }): Promise<PathChoice> {
  let text: string;
  try {
    text = await readFile(file.path, "utf8");
  } catch (error) {
    if (!file.named && systemCode(error) === "ENOENT") return {};
    throw fail(
      "config.unreadable",
      `the configuration ${quote(file.path)} can't be read: ${unreadableBecause(error)}`,
      {
        hint: "name the daemon's socket with --socket, or another file with --config",
        details: { file: file.path },
      },
    );
  }
  const { parse } = await import("smol-toml");
  try {
    const { data_dir: dataDir, socket } = parse(text);
    return {
      dataDir: typeof dataDir === "string" ? absolute(dataDir) : undefined,
      socket: typeof socket === "string" ? absolute(socket) : undefined,
    };
  } catch (error) {
    throw fail("config.invalid", `${quote(file.path)}: ${messageOf(error).split("\n")[0] ?? ""}`, {
      details: { file: file.path },
    });
  }
}
