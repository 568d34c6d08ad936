/**
 * What is run for an instance: which file, with which arguments and environment. No shell, nothing inherited. A folder of
 * JavaScript needs no runtime but this executable, which is also Bun. Reads the folder, starts nothing.
 * Called by run.ts and provider.ts.
 */
import { constants } from "node:fs";
import { access, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import * as v from "valibot";
import { fail } from "../../../base/errors.ts";
import { quote } from "../../../base/text.ts";
import type { PortBinding } from "../provider.ts";
import { INSTANCE_MARK } from "./kill.ts";
import { portVariable } from "./port-variable.ts";

export interface RunPlan {
  readonly command: readonly string[];
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
}

export interface RunWish {
  readonly id: string;
  /** Undefined or null: what the folder itself says. */
  readonly command: readonly string[] | null | undefined;
  readonly env: Readonly<Record<string, string>>;
  readonly secrets?: Readonly<Record<string, string>>;
  readonly hostPort: number | null | undefined;
  /** Of a workspace. Nothing leads from one port to another: the program listens on those of the host. */
  readonly ports?: readonly PortBinding[];
}

/**
 * Throws `service.invalid` when there is nothing to run. `app` is the folder; in `tools` is this executable under the name of
 * `bun`, for what a script calls so and the system does not have.
 */
export async function planRun(app: string, wish: RunWish, tools?: string): Promise<RunPlan> {
  const { command, isBun } = wish.command ? await findExecutable(app, wish.command) : await findEntry(app);
  return {
    command,
    cwd: app,
    env: {
      PATH: [...SYSTEM_PATH, ...(isBun && tools !== undefined ? [tools] : [])].join(":"),
      HOME: app,
      ...wish.env,
      ...wish.secrets,
      ...(typeof wish.hostPort === "number" ? { PORT: String(wish.hostPort) } : {}),
      ...portVariables(wish.ports ?? []),
      ...(isBun ? { BUN_BE_BUN: "1" } : {}),
      [INSTANCE_MARK]: wish.id,
    },
  };
}

// --- internal ---

const SYSTEM_PATH = ["/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin"];

/** `PORT_APP` for the port `app`, and `PORT` for the first. */
function portVariables(ports: readonly PortBinding[]): Record<string, string> {
  const [first] = ports;
  if (first === undefined) return {};
  const named = ports.map(({ key, outside }) => [portVariable(key), String(outside)]);
  return { PORT: String(first.outside), ...Object.fromEntries(named) };
}

interface Found {
  readonly command: readonly string[];
  /** This executable, asked to be Bun. */
  readonly isBun: boolean;
}

async function findExecutable(app: string, command: readonly string[]): Promise<Found> {
  const [name = "", ...rest] = command;
  const places = name.includes("/")
    ? [join(name.startsWith("/") ? "/" : app, name)]
    : [app, ...SYSTEM_PATH].map((dir) => join(dir, name));
  for (const path of places) if (await isExecutable(path)) return { command: [path, ...rest], isBun: false };
  if (name === "bun") return asBun(...rest);
  const existing = await stat(join(app, name)).catch(() => undefined);
  throw fail(
    "service.invalid",
    existing?.isFile() === true
      ? `${quote(name)} is in the folder, but is not executable`
      : `wanted a program called ${quote(name)} in the folder or in ${SYSTEM_PATH.join(":")}, found none`,
    { hint: existing === undefined ? undefined : `make it executable with: chmod +x ${name}` },
  );
}

/** As `npm start` would: the script, then the main file, then an index file. */
async function findEntry(app: string): Promise<Found> {
  const manifest = await readPackage(app);
  if (manifest.scripts?.["start"] !== undefined) return asBun("run", "start");
  for (const name of [manifest.main, "index.ts", "index.js"]) {
    if (name !== undefined && (await isFile(join(app, name))))
      return asBun("run", "--no-install", `./${name}`);
  }
  throw fail("service.invalid", "wanted a start script, index.ts or index.js in the folder, found none", {
    hint: "say what to run with --command",
  });
}

function asBun(...args: readonly string[]): Found {
  return { command: [process.execPath, ...args], isBun: true };
}

const packageManifest = v.object({
  main: v.optional(v.string()),
  scripts: v.optional(v.record(v.string(), v.string())),
});

async function readPackage(app: string): Promise<v.InferOutput<typeof packageManifest>> {
  const text = await readFile(join(app, "package.json"), "utf8").catch(() => "{}");
  try {
    return v.parse(packageManifest, JSON.parse(text));
  } catch {
    throw fail("service.invalid", "the folder's package.json is not valid", {
      hint: "mend it, or say what to run with --command",
    });
  }
}

async function isFile(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined))?.isFile() === true;
}

async function isExecutable(path: string): Promise<boolean> {
  if (!(await isFile(path))) return false;
  return access(path, constants.X_OK).then(
    () => true,
    () => false,
  );
}
