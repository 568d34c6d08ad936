/**
 * A data directory on a disk that is full, at the moments that matter: everything says so with `disk.full`, what runs goes on,
 * nothing is lost, and when there is room again everything works. Needs root: the disk is a small tmpfs.
 */
import { describe, expect, test } from "bun:test";
import {
  closeSync,
  fstatSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readdirSync,
  rmSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";
import { systemCode } from "../../src/base/errors.ts";
import { needs, until } from "../harness.ts";
import { makeMachine, type Answer, type Machine } from "./machine.ts";

const APP = `Bun.serve({ port: Number(process.env.PORT), hostname: "127.0.0.1", fetch: () => new Response("ok") });`;
const WATCHER = {
  "plugin.toml": `[plugin]
name = "watcher"
version = "1.0.0"
description = "Sees deploys"
tier = 2
[hooks]
on_deploy_success = true
on_deploy_fail = true
`,
  "index.ts": "export default { on_deploy_success() {}, on_deploy_fail() {} };",
};

interface SmallDisk extends AsyncDisposable {
  readonly machine: Machine;
  /** Leaves so many bytes free. */
  readonly fill: (freeBytes?: number) => void;
  readonly free: () => void;
}

/** A machine whose data directory is a disk of its own. */
function smallDisk(): SmallDisk {
  const machine = makeMachine();
  const { dataDir } = machine;
  const ballast = join(dataDir, "ballast");
  mkdirSync(dataDir);
  Bun.spawnSync(["mount", "-t", "tmpfs", "-o", "size=16m,mode=700", "tmpfs", dataDir]);
  const free = (): void => rmSync(ballast, { force: true });
  return {
    machine,
    free,
    fill(freeBytes = 0) {
      // To the last byte first: what others write meanwhile must not make a difference.
      const file = openSync(ballast, "w");
      try {
        while (writeSync(file, Buffer.alloc(4096)) > 0);
      } catch (error) {
        if (systemCode(error) !== "ENOSPC") throw error;
      } finally {
        ftruncateSync(file, Math.max(0, fstatSync(file).size - freeBytes));
        closeSync(file);
      }
    },
    async [Symbol.asyncDispose]() {
      await machine.end("SIGKILL");
      Bun.spawnSync(["umount", "-l", dataDir]);
      await machine[Symbol.asyncDispose]();
    },
  };
}

function codeOf(answer: Answer): string {
  return answer.status === 0 ? "ok" : (JSON.parse(answer.stderr) as { error: { code: string } }).error.code;
}

interface EventLine {
  readonly hook: string;
  readonly data: { readonly service: string; readonly version: number };
  readonly deliveries: readonly { readonly plugin: string; readonly state: string }[];
}

async function events(machine: Machine): Promise<readonly EventLine[]> {
  const { stdout } = await machine.cli("events", "--json");
  return stdout
    .split("\n")
    .filter(Boolean)
    .map((line) => JSON.parse(line) as EventLine);
}

describe.skipIf(!needs("compiled") || !needs("mount"))("a full disk", () => {
  test("is named by every command that writes; what runs goes on, and with room all works again", async () => {
    await using disk = smallDisk();
    const { machine, fill, free } = disk;
    await machine.start();
    const app = machine.write("app", { "index.ts": APP });
    const watcher = machine.write("watcher", WATCHER);
    expect(codeOf(await machine.cli("plugin", "install", watcher, "--yes", "--json"))).toBe("ok");
    expect(codeOf(await machine.cli("deploy", "web", "--path", app, "--port", "80", "--json"))).toBe("ok");
    fill();

    const writing: readonly (readonly string[])[] = [
      ["deploy", "web", "--path", app, "--port", "80"],
      ["deploy", "new", "--path", app, "--port", "80"],
      ["plugin", "install", "deploy-notifier", "--yes"],
      ["plugin", "install", watcher, "--yes"],
      ["plugin", "disable", "watcher"],
      ["plugin", "remove", "watcher", "--yes"],
      ["env", "set", "web", "A=1"],
      ["stop", "web"],
      ["remove", "web", "--yes"],
    ];
    for (const words of writing)
      expect([words.join(" "), codeOf(await machine.cli(...words, "--json"))]).toEqual([
        words.join(" "),
        "disk.full",
      ]);
    const [service] = await machine.json<{ state: string; version: number; address: string }[]>("status");
    expect(service).toMatchObject({ state: "running", version: 1 });
    expect(await (await fetch(`http://${service?.address}`)).text()).toBe("ok");
    expect(await machine.json<unknown[]>("plugin", "list")).toMatchObject([
      { name: "watcher", state: "enabled" },
    ]);
    expect(readdirSync(join(machine.dataDir, "uploads"))).toEqual([]);

    free();
    expect(codeOf(await machine.cli("deploy", "web", "--path", app, "--port", "80", "--json"))).toBe("ok");
    await until(
      async () =>
        (await events(machine)).some(
          ({ hook, data, deliveries }) =>
            hook === "on_deploy_success" && data.version === 2 && deliveries[0]?.state === "done",
        ),
      { what: "the delivery of version 2" },
    );
    expect(machine.log()).not.toMatch(/unexpected|a bug/);
  }, 30_000);

  test("in the middle of a deploy undoes it, and its failure is told when there is room", async () => {
    await using disk = smallDisk();
    const { machine, fill, free } = disk;
    await machine.start();
    const app = machine.write("app", { "index.ts": APP });
    const silent = machine.write("silent", { "index.ts": "setInterval(() => {}, 1000);" });
    const watcher = machine.write("watcher", WATCHER);
    expect(codeOf(await machine.cli("plugin", "install", watcher, "--yes", "--json"))).toBe("ok");
    expect(codeOf(await machine.cli("deploy", "web", "--path", app, "--port", "80", "--json"))).toBe("ok");

    const failing = machine.cli("deploy", "web", "--path", silent, "--health-timeout", "2s", "--json");
    await until(() => readdirSync(join(machine.dataDir, "instances")).length === 2, {
      what: "the new instance",
    });
    fill();
    expect((await failing).status).not.toBe(0);
    const [service] = await machine.json<{ version: number; address: string }[]>("status");
    expect(await (await fetch(`http://${service?.address}`)).text()).toBe("ok");
    expect(service?.version).toBe(1);

    free();
    await until(
      async () =>
        (await events(machine)).some(
          ({ hook, data, deliveries }) =>
            hook === "on_deploy_fail" && data.version === 2 && deliveries[0]?.state === "done",
        ),
      { timeoutMs: 15_000, what: "on_deploy_fail and its delivery" },
    );
    expect(readdirSync(join(machine.dataDir, "instances"))).toHaveLength(1);
  }, 40_000);

  test("at the start is named, whatever is missing, and the next start with room finds everything", async () => {
    await using disk = smallDisk();
    const { machine, fill, free } = disk;
    for (const freeKiB of [0, 4, 16, 60, 100]) {
      fill(freeKiB << 10);
      expect([freeKiB, codeOf(await machine.cli("daemon", "--json"))]).toEqual([freeKiB, "disk.full"]);
    }
    free();
    await machine.start();
    expect(codeOf(await machine.cli("env", "list", "web", "--json"))).toBe("service.not_found");
  }, 30_000);
});
