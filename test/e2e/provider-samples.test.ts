/**
 * The devbox plugin API's example in four languages, as its text says to install it: built, copied into a folder, seen in `devbox plugin
 * list`, consented to; then a workspace of it is led through its life by the compiled program.
 */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { cpSync, existsSync, mkdirSync, readdirSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import {
  SAMPLE_LANGUAGES,
  SAMPLE_VARIANTS,
  sampleName,
  sampleProvider,
  type SampleVariant,
} from "../fixtures/provider-samples.ts";
import { needs } from "../harness.ts";
import { EXECUTABLE, makeMachine, type Machine } from "./machine.ts";
import { errorOf, hooksOf, ok, stateOf } from "./workspace-commands.ts";

/** What the text's own example says is always the same, so that it seems to run where it should not: that is shown, and hinders nothing. */
const STANDINGS: Readonly<Record<SampleVariant, readonly Standing[]>> = {
  minimal: [
    { state: "running", drift: "started outside" },
    { state: "running", drift: null },
    { state: "running", drift: "started outside" },
  ],
  stateful: [
    { state: "created", drift: null },
    { state: "running", drift: null },
    { state: "stopped", drift: null },
  ],
};

interface Standing {
  readonly state: string;
  readonly drift: string | null;
}

describe.skipIf(!needs("compiled"))("the devbox plugin API's example", () => {
  let machine: Machine;
  beforeAll(async () => {
    machine = makeMachine();
    await machine.start();
    mkdirSync(devboxFolder(machine), { recursive: true });
    symlinkSync(EXECUTABLE, join(machine.folder, "devbox"));
  });
  afterAll(async () => {
    await machine[Symbol.asyncDispose]();
  });

  for (const language of SAMPLE_LANGUAGES)
    test.each([...SAMPLE_VARIANTS])(
      `in ${language}, installed as its text says, leads a workspace through its life (%s)`,
      async (variant) => {
        const built = sampleProvider(language, variant);
        if (built === undefined) return;
        const plugin = sampleName(language, variant);
        const workspace = `dev-${language}-${variant}`;
        const create = ["workspace", "create", workspace, "--provider", plugin, "--image", "ubuntu:22.04"];
        const folder = join(devboxFolder(machine), plugin);
        cpSync(built, folder, { recursive: true });
        const listed = devbox(machine, "plugin", "list");
        expect(listed).toMatch(
          new RegExp(`^${plugin} +1\\.0\\.0 +provider \\(exec\\) +- +not approved +-$`, "m"),
        );
        expect(listed).toMatch(new RegExp(`^from ${devboxFolder(machine)}: .*\\b${plugin}\\b`, "m"));
        // It runs after consent, and never before.
        expect(await errorOf(machine, ...create)).toMatchObject({ code: "provider.unknown" });
        await ok(machine, "plugin", "enable", plugin, "--yes");
        expect(devbox(machine, "plugin", "list")).toMatch(new RegExp(`^${plugin} .* enabled `, "m"));

        const more = [
          "--env",
          "NODE_ENV=development",
          "--cpus",
          "2",
          "--memory",
          "4g",
          "--port",
          "app=28080",
        ];
        const standings: Standing[] = [];
        for (const words of [
          [...create, ...more],
          ["workspace", "start", workspace],
          ["workspace", "stop", workspace],
        ]) {
          await ok(machine, ...words);
          const { state, drift } = await machine.json<Standing>("workspace", "status", workspace);
          standings.push({ state, drift });
        }
        expect(standings).toEqual([...STANDINGS[variant]]);
        expect(await ok(machine, "workspace", "destroy", workspace, "--yes")).toBe(
          `destroyed ${workspace}\n`,
        );
        expect(await stateOf(machine, workspace)).toBe("gone");
        expect(await hooksOf(machine, workspace)).toEqual(HOOKS);
        expect((await machine.cli("plugin", "logs", plugin)).stdout).toContain(
          `Creating ${workspace} with image ubuntu:22.04`,
        );
        if (variant === "stateful") expect(readdirSync(join(machine.folder, plugin))).toEqual([]);

        await ok(machine, "plugin", "remove", plugin, "--yes");
        expect(existsSync(folder)).toBe(false);
        expect(devbox(machine, "plugin", "list")).not.toContain(plugin);
      },
      30_000,
    );
});

// --- internal ---

const HOOKS = ["create", "start", "stop", "destroy"].flatMap((verb) => [`pre_${verb}`, `post_${verb}`]);

const devboxFolder = ({ folder }: Machine): string => join(folder, ".config/devbox/plugins");

/** The same program by its other name. */
function devbox({ folder, dataDir }: Machine, ...words: string[]): string {
  const { exitCode, stdout, stderr } = Bun.spawnSync(
    [join(folder, "devbox"), ...words, "--data-dir", dataDir],
    {
      cwd: folder,
      env: { PATH: "/usr/bin:/bin", HOME: folder, NO_COLOR: "1" },
    },
  );
  expect([words, exitCode, stderr.toString()]).toEqual([words, 0, expect.any(String)]);
  return stdout.toString();
}
