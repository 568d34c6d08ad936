/**
 * Hostile plugins in the process rooms of a real daemon. The native attacks of test/escape come out of an installed plugin; nothing may
 * have happened, to the daemon least of all. And what each of its processes is, as the kernel tells it from outside.
 */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import * as ffi from "bun:ffi";
import { readdirSync, readFileSync, readlinkSync, rmSync } from "node:fs";
import { join } from "node:path";
import { makeClient, type Client } from "../../src/api/client.ts";
import { isVoxError } from "../../src/base/errors.ts";
import type { NativeAttack, Places } from "../escape/native/attack.ts";
import type { Outcome } from "../escape/native/attacker.ts";
import { ATTACKS } from "../escape/native/attacks/all.ts";
import { bundleHostile } from "../escape/native/bundle-hostile.ts";
import { makeKernel } from "../escape/native/kernel.ts";
import { makeScene, type Scene } from "../escape/native/scene.ts";
import { changes, type View } from "../escape/native/scene-view.ts";
import { needs } from "../harness.ts";
import { ownModule } from "../wasm/modules.ts";
import { alertEvent } from "./alert-event.ts";
import { processOf } from "./daemon-children.ts";
import { makeMachine } from "./machine.ts";

const SECRET = `secret-${crypto.randomUUID()}`;
const ABSENT_ELSEWHERE = /by the (32-bit door|x32 numbering)/;
const ALERT = alertEvent("x");
/** Without those that waste its process: for them there is robustness-process.test.ts. */
const attacks = ATTACKS.filter(
  ({ name, wastes }) => !wastes && (process.arch === "x64" || !ABSENT_ELSEWHERE.test(name)),
);

/** Tier 1 has no other room than a process. */
const manifest = (name: string, tier: 1 | 2, hook: string): string => `[plugin]
name = "${name}"
version = "1.0.0"
tier = ${tier}
[hooks]
${hook} = true
[runtime]
timeout = "5s"
${tier === 2 ? 'isolation = "process"' : ""}
`;

describe.skipIf(!needs("compiled") || !needs("confinement"))("in a real daemon", () => {
  const machine = makeMachine();
  let client: Client;
  let scene: Scene;
  let places: Places;
  let before: View;

  beforeAll(async () => {
    await machine.start({ VOXELTRON_TEST_SECRET: SECRET });
    client = makeClient(machine.socket);
    scene = makeScene(makeKernel(ffi), SECRET);
    places = { ...scene.places, daemonPid: machine.pid() };
    before = scene.look(new Set());
    const hostile = machine.write("hostile", {
      "plugin.toml": manifest("hostile", 2, "on_deploy_success"),
      "index.js": await bundleHostile(),
    });
    const echo = machine.write("echo", { "plugin.toml": manifest("echo", 1, "on_alert") });
    await Bun.write(join(echo, "plugin.wasm"), await ownModule("echo"));
    for (const folder of [hostile, echo])
      expect((await machine.cli("plugin", "install", folder, "--yes")).stderr).not.toContain("error");
  });

  afterAll(async () => {
    await machine[Symbol.asyncDispose]();
    rmSync(places.folder, { recursive: true, force: true });
  });

  const event = (service: string) => ({
    service,
    domain: "x",
    domains: [],
    image: JSON.stringify(places),
    version: 1,
    provider: "process",
    server: "local",
    durationMs: 0,
  });

  /** How it ended, in one word. */
  async function attempt({ name }: NativeAttack): Promise<string> {
    try {
      const call = { name: "hostile", hook: "on_deploy_success", event: event(name) } as const;
      const outcome = (await client.call("plugin.call", call)).result as Outcome;
      return outcome.kind === "got" ? JSON.stringify(outcome.got) : outcome.code;
    } catch (error) {
      if (!isVoxError(error)) throw error;
      return /\bSIG[A-Z]+\b/.exec(error.message)?.[0] ?? error.code;
    }
  }

  test.each(attacks.map((attack) => [attack.name, attack] as const))("%s", async (_name, attack) => {
    const ending = await attempt(attack);
    expect(changes(before, scene.look(new Set()))).toEqual([]);
    expect(attack.refusals).toContain(ending);
  });

  test("after all of them the daemon is the same process, answers, and has nothing to say", async () => {
    expect((await client.call("daemon.info", {})).pid).toBe(machine.pid());
    expect(machine.log()).not.toMatch(/a bug|error/);
  });

  const processes = [
    ["JavaScript", "hostile", "on_deploy_success"],
    ["WebAssembly", "echo", "on_alert"],
  ] as const;
  test.each(processes)(
    "the process of %s has no power and holds nothing of the daemon's",
    async (_kind, name, hook) => {
      await client.call("plugin.call", { name, hook, event: hook === "on_alert" ? ALERT : event("nothing") });
      const seen = lookAt(processOf(machine.pid(), name) ?? 0);
      expect(seen).toEqual({
        ...SEALED,
        uid: process.getuid?.() === 0 ? expect.stringMatching(/^[1-9]/) : seen.uid,
      });
    },
  );
});

// --- internal ---

/** What a sealed process is, as /proc tells it. */
interface Seen {
  readonly uid: string;
  readonly status: readonly string[];
  readonly descriptors: readonly string[];
  /** Names beyond those that the launcher sets. */
  readonly environment: readonly string[];
  readonly folder: string;
}

const SEALED: Seen = {
  uid: "",
  status: [
    "CapAmb:\t0000000000000000",
    "CapEff:\t0000000000000000",
    "CapInh:\t0000000000000000",
    "CapPrm:\t0000000000000000",
    "NoNewPrivs:\t1",
    "Seccomp:\t2",
    "Seccomp_filters:\t2",
  ],
  descriptors: ["/dev/null", "anon_inode", "socket"],
  environment: [],
  folder: "/",
};

/** They order the runtime about, and say how the process is confined. */
const LAUNCHERS =
  /^(BUN_JSC_\w+|BUN_ENABLE_CRASH_REPORTING|BUN_RUNTIME_TRANSPILER_CACHE_PATH|MIMALLOC_ARENA_RESERVE|DO_NOT_TRACK|TZ|VOXELTRON_CONFINEMENT)=/;

function lookAt(pid: number): Seen {
  const read = (file: string) => readFileSync(`/proc/${pid}/${file}`, "latin1");
  const status = read("status").split("\n");
  const links = readdirSync(`/proc/${pid}/fd`).map((name) => readlinkSync(`/proc/${pid}/fd/${name}`));
  return {
    uid: status.find((line) => line.startsWith("Uid:"))?.split("\t")[1] ?? "",
    status: status.filter((line) => /^(Cap(Amb|Eff|Inh|Prm)|NoNewPrivs|Seccomp)/.test(line)).toSorted(),
    descriptors: [...new Set(links.map((link) => link.replace(/:.*/, "")))].toSorted(),
    environment: read("environ")
      .split("\0")
      .filter((entry) => entry !== "" && !LAUNCHERS.test(entry)),
    folder: readlinkSync(`/proc/${pid}/cwd`),
  };
}
