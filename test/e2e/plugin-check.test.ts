/** `plugin check` as it is shipped: plugins of each kind, good and bad ones, with the compiled executable and no daemon. */
import { describe, expect, test } from "bun:test";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { BROKEN_HOOKS, BROKEN_SCRIPTS } from "../fixtures/checked/broken-plugins.ts";
import { BROKEN_PROVIDERS, type Planted } from "../fixtures/checked/broken-providers.ts";
import { documentedPlugin } from "../fixtures/documented-plugin.ts";
import { needs, tempDir } from "../harness.ts";
import { leftIn, runCheck, writePlugin, type CheckRun } from "../integration/check/checked.ts";
import { ownModule } from "../wasm/modules.ts";
import { EXECUTABLE } from "./machine.ts";

const LONGEST_MS = 120_000;
const FIXTURES = join(import.meta.dir, "../fixtures/checked");

async function checked(folder: string, args: readonly string[] = []): Promise<CheckRun> {
  await using dir = tempDir();
  const ran = await runCheck(folder, dir.path, ["--yes", ...args], [EXECUTABLE]);
  expect(leftIn(dir.path)).toEqual([]);
  expect(readdirSync(join(dir.path, "tmp")).filter((name) => name.startsWith("voxeltron-check-"))).toEqual(
    [],
  );
  return ran;
}

/** What failed. */
function failures({ report }: CheckRun): string[] {
  return report.results
    .filter(({ outcome }) => outcome === "failed")
    .map(({ check, subject = "", found = "" }) => `${check} ${subject}: ${found}`);
}

function planted(all: readonly Planted[], ...names: readonly string[]): readonly Planted[] {
  const found = all.filter(({ name }) => names.includes(name));
  expect(found.length).toBe(names.length);
  return found;
}

describe.skipIf(!needs("compiled") || !needs("linux"))("the compiled executable", () => {
  test(
    "passes providers in shell and in Python, the documentation's JavaScript, and a module",
    async () => {
      await using dir = tempDir();
      const good = [
        join(FIXTURES, "provider-shell"),
        ...(needs("python3") ? [join(FIXTURES, "provider-python")] : []),
        writePlugin(join(dir.path, "js"), documentedPlugin("https://hooks.slack.com/services/T0/B0/x")),
      ];
      if (needs("confinement"))
        good.push(
          writePlugin(join(dir.path, "wasm"), {
            "plugin.toml":
              '[plugin]\nname = "counter"\nversion = "1.0.0"\ntier = 1\n[capabilities]\nrequired = ["notify_send"]\n[hooks]\non_deploy_start = true\n',
            "plugin.wasm": await ownModule("counter"),
          }),
        );
      for (const folder of good) {
        const ran = await checked(folder);
        expect([failures(ran), ran.status, ran.report.ran]).toEqual([[], 0, true]);
      }
    },
    LONGEST_MS,
  );

  const bad = [
    ...planted(
      BROKEN_PROVIDERS,
      "leaves a child that holds its output",
      "leaves its instance in its own process group",
      "forgets its instance's process at destroy",
      "never answers, and can't be asked to end",
      "writes without end",
    ),
    ...planted(BROKEN_HOOKS, "becomes a daemon", "does not take an event that comes again"),
    ...planted(BROKEN_SCRIPTS, "never ends", "goes beyond its scope", "can't do without what is optional"),
    ...BROKEN_PROVIDERS.filter((each) => each.needs === "python3" && needs("python3")),
  ];
  for (const { name, files, finds, args } of bad)
    test(
      `finds that a plugin ${name}`,
      async () => {
        await using dir = tempDir();
        const ran = await checked(writePlugin(dir.path, files), args);
        const said = failures(ran);
        for (const { check, subject = "", found } of finds)
          expect(
            said.filter((line) => line.startsWith(`${check} ${subject}`) && found.test(line)),
          ).not.toEqual([]);
        expect(ran.status).toBe(1);
      },
      LONGEST_MS,
    );
});
