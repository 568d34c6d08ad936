/**
 * What is kept on disk of an instance, so that the next daemon finds it: `spec.json` (written once), `state.json` (replaced
 * whole at every change), `app/` (the program, or the folder of a
 * workspace), `bin/` (what is run beside it) and `logs/`. Secrets are in none of them but what the
 * program prints; the folder is closed to others all the same: plain variables may hold passwords too.
 * Written by provider.ts and run.ts; nobody else reads it.
 */
import { randomUUID } from "node:crypto";
import { constants } from "node:fs";
import { cp, mkdir, open, readdir, readFile, readlink, rename, rm, symlink } from "node:fs/promises";
import { join } from "node:path";
import * as v from "valibot";
import { diskFull } from "../../../base/disk-full.ts";
import { fail, systemCode } from "../../../base/errors.ts";
import { quote } from "../../../base/text.ts";
import type { InstanceSpec } from "../provider.ts";

export interface InstanceFiles {
  readonly app: (id: string) => string;
  readonly logs: (id: string) => string;
  /** A folder with this executable as `bun`, for the program's PATH. It may have moved since the last time. */
  tools(id: string): Promise<string>;
  /** Makes the folder with a copy of the program. Half of it, after a crash, is no instance. */
  create(spec: InstanceSpec): Promise<void>;
  readSpec(id: string): Promise<StoredSpec | undefined>;
  /** Nothing where there is no whole instance. */
  readState(id: string): Promise<RunState | undefined>;
  writeState(id: string, state: RunState): Promise<void>;
  remove(id: string): Promise<void>;
  ids(): Promise<readonly string[]>;
}

export type StoredSpec = v.InferOutput<typeof storedSpec>;
export type RunState = v.InferOutput<typeof runState>;

export const NEVER_RAN: RunState = {
  desired: "stopped",
  main: null,
  startedAt: null,
  exit: null,
  restarts: 0,
  crashes: 0,
};

/** `root`: the folder `instances` of the data dir. */
export function makeInstanceFiles(root: string): InstanceFiles {
  const within = (id: string, ...rest: readonly string[]) => join(root, checkId(id), ...rest);
  return {
    app: (id) => within(id, "app"),
    logs: (id) => within(id, "logs"),

    async tools(id) {
      const folder = within(id, "bin");
      const link = join(folder, "bun");
      if ((await readlink(link).catch(() => undefined)) === process.execPath) return folder;
      await mkdir(folder, { recursive: true, mode: 0o700 });
      const draft = `${link}.${randomUUID()}`;
      await symlink(process.execPath, draft);
      await rename(draft, link);
      return folder;
    },

    async create(spec) {
      const { id, owner, service, workspace, version, command, env, hostPort, ports, restart } = spec;
      await rm(within(id), { recursive: true, force: true });
      await mkdir(within(id, "logs"), { recursive: true, mode: 0o700 });
      const stored = {
        id,
        owner,
        service,
        workspace,
        version,
        command: command ?? null,
        env,
        hostPort: hostPort ?? null,
        ports,
        restart,
      };
      await writeWhole(within(id, "spec.json"), JSON.stringify(stored));
      if (spec.directory === undefined) await mkdir(within(id, "app"), { mode: 0o700 });
      else await copyFolder(spec.directory, within(id, "app"));
      await writeWhole(within(id, "state.json"), JSON.stringify(NEVER_RAN));
    },

    readSpec: (id) => readJson(within(id, "spec.json"), storedSpec),
    readState: (id) => readJson(within(id, "state.json"), runState),
    writeState: (id, state) => writeWhole(within(id, "state.json"), JSON.stringify(state)),
    remove: (id) => rm(within(id), { recursive: true, force: true }),

    async ids() {
      const names = await readdir(root).catch(noneIfMissing);
      return names.filter((name) => ID.test(name));
    },
  };
}

// --- internal ---

const ID = /^[a-z0-9][a-z0-9-]{0,127}$/;

const storedSpec = v.strictObject({
  id: v.string(),
  owner: v.string(),
  /** Whose it is: one of the two. */
  service: v.optional(v.string()),
  workspace: v.optional(v.string()),
  version: v.number(),
  command: v.nullable(v.array(v.string())),
  env: v.record(v.string(), v.string()),
  hostPort: v.nullable(v.number()),
  ports: v.optional(
    v.array(v.strictObject({ key: v.string(), inside: v.number(), outside: v.number() })),
    [],
  ),
  restart: v.picklist(["always", "on-failure", "no"]),
});

const runState = v.strictObject({
  /** What was asked for last. */
  desired: v.picklist(["running", "stopped"]),
  /** The process that was started; null before, and after it was seen to have ended. */
  main: v.nullable(v.strictObject({ pid: v.number(), startTicks: v.number(), bootId: v.string() })),
  startedAt: v.nullable(v.string()),
  /** How the last run ended; `code` is null where nobody saw it. */
  exit: v.nullable(v.strictObject({ code: v.nullable(v.number()), at: v.string() })),
  restarts: v.number(),
  /** Bad runs in a row. */
  crashes: v.number(),
});

function checkId(id: string): string {
  if (ID.test(id)) return id;
  throw fail("instance.not_found", `no instance is called ${quote(id)}`);
}

/** What can't be read is as good as not there: the engine makes a new instance then. */
async function readJson<T extends v.GenericSchema>(
  path: string,
  schema: T,
): Promise<v.InferOutput<T> | undefined> {
  try {
    return v.parse(schema, JSON.parse(await readFile(path, "utf8")));
  } catch {
    return undefined;
  }
}

/** The old content or the new, also after a power cut. */
async function writeWhole(path: string, text: string): Promise<void> {
  try {
    const file = await open(`${path}.new`, "w", 0o600);
    try {
      await file.writeFile(text);
      await file.datasync();
    } finally {
      await file.close();
    }
    await rename(`${path}.new`, path);
  } catch (error) {
    throw diskFull(error);
  }
}

async function copyFolder(from: string, to: string): Promise<void> {
  try {
    await cp(from, to, { recursive: true, verbatimSymlinks: true, mode: constants.COPYFILE_FICLONE });
  } catch (error) {
    if (systemCode(error) === "ENOENT")
      throw fail("service.invalid", `the folder ${quote(from)} is not there`);
    throw diskFull(error);
  }
}

function noneIfMissing(error: unknown): string[] {
  if (systemCode(error) === "ENOENT") return [];
  throw error;
}
