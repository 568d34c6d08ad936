/**
 * Hostile native code in the confined processes of a compiled executable. Each attack must be refused as it should be, and nothing may
 * have happened; then the same attack, in the same executable where nothing confines it, must work. What it can do is in native/.
 */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { chmodSync, copyFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { EXECUTABLE } from "../e2e/machine.ts";
import { needs, tempDir } from "../harness.ts";
import type { BundlerAnswer, NativeAttack } from "./native/attack.ts";
import { ATTACKS } from "./native/attacks/all.ts";
import { bundleHostile } from "./native/bundle-hostile.ts";
import { compileAttacker } from "./native/compile.ts";
import { endingOf, wordsOf, worked } from "./native/judge.ts";
import { machineHas, refusedByMachine } from "./native/machine-has.ts";
import { openStage, type Stage } from "./native/stage.ts";

const NOBODY = 65534;
const PLUGIN = 200_123;

const folder = tempDir();
/** Copies, so that an ordinary user may execute them wherever the checkout lies. */
const files = {
  attacker: join(folder.path, "attacker"),
  executable: join(folder.path, "voxeltron"),
  plugin: join(folder.path, "hostile.js"),
};
const isRoot = process.getuid?.() === 0;
/** Calls that only x86-64 has are no attacks elsewhere. */
const attacks = ATTACKS.filter(({ control }) => process.arch === "x64" || !isForX64(control));

beforeAll(async () => {
  chmodSync(folder.path, 0o755);
  await compileAttacker(files.attacker);
  if (needs("compiled")) copyFileSync(EXECUTABLE, files.executable);
  writeFileSync(files.plugin, await bundleHostile());
});
afterAll(() => folder[Symbol.asyncDispose]());

const controls = (ends: NativeAttack["control"]["ends"]) =>
  ATTACKS.filter(({ control }) => control.ends === ends);

test("there are enough attacks that work where nothing stops them, and no two have one name", () => {
  expect(controls("works").length).toBeGreaterThanOrEqual(200);
  expect(controls("fails").length).toBeLessThan(20);
  expect(new Set(ATTACKS.map(({ name }) => name)).size).toBe(ATTACKS.length);
});

interface Mode {
  readonly name: string;
  readonly way: "guest" | "module" | "bundler" | "room";
  /** Who the daemon is; undefined where it stays what the test is. */
  readonly daemon?: number;
  /** Who the attacker becomes. */
  readonly uid?: number;
}

const asRoot: readonly Mode[] = [
  { name: "a guest with a user of its own", way: "guest", uid: PLUGIN },
  { name: "a guest that stays root", way: "guest" },
  { name: "a guest of an ordinary user's daemon", way: "guest", daemon: NOBODY },
  { name: "a module's process with a user of its own", way: "module", uid: PLUGIN },
  { name: "a module's process, of an ordinary user's daemon", way: "module", daemon: NOBODY },
  { name: "the bundler with a user of its own", way: "bundler", uid: PLUGIN },
  { name: "the bundler of an ordinary user's daemon", way: "bundler", daemon: NOBODY },
  { name: "a plugin in its room with a user of its own", way: "room", uid: PLUGIN },
  { name: "a plugin in its room, of an ordinary user's daemon", way: "room", daemon: NOBODY },
];
const asUser: readonly Mode[] = [
  { name: "a guest", way: "guest" },
  { name: "a module's process", way: "module" },
  { name: "the bundler", way: "bundler" },
  { name: "a plugin in its room", way: "room" },
];

for (const { name: mode, way, daemon, uid } of isRoot ? asRoot : asUser) {
  const possible = needs("confinement") && (way !== "room" || needs("compiled"));
  describe.skipIf(!possible)(`as ${mode}, it is refused and nothing happens:`, () => {
    const stage = stageFor(daemon);

    test.each(attacks.map((attack) => [attack.name, attack] as const))("%s", async (name, attack) => {
      const request = { attack: name, way, spent: attack.wastes };
      const report = await stage().attempt(uid === undefined ? request : { ...request, uid });
      expect(report.changes).toEqual([]);
      const { refusals, may }: BundlerAnswer = (way === "bundler" ? attack.bundler : undefined) ?? attack;
      const ending = endingOf(report);
      if (may?.test(ending) !== true) expect(refusals, wordsOf(report)).toContain(ending);
    });
  });
}

describe("with nothing around it, the same attack works:", () => {
  const stage = stageFor(undefined);

  for (const attack of attacks) {
    const { name, control, spent } = attack;
    if (control.ends === "fails") continue;
    test.skipIf(!machineHas(control.needs))(name, async () => {
      const careless = control.ends === "works" && control.careless === true;
      const report = await stage().attempt({
        attack: name,
        way: careless ? "careless" : "unconfined",
        spent,
      });
      if (worked(attack, report, stage().secret) || refusedByMachine(report)) return;
      // Then it came past the place where the confined one is refused, and to its own bad arguments.
      expect(control.ends === "reaches" ? control.errors : ["to work"], wordsOf(report)).toContain(
        endingOf(report),
      );
    });
  }
});

/** One process after another would take long; that each attack works is shown above, here that a plugin can get at all of them. */
describe.skipIf(!needs("compiled"))("with nothing around its room, the same plugin does the same:", () => {
  const stage = stageFor(undefined);

  for (const attack of attacks.filter(({ control, spent }) => control.ends === "works" && !spent)) {
    const { name, control } = attack;
    if (control.ends !== "works" || control.careless === true) continue;
    test.skipIf(!machineHas(control.needs))(name, async () => {
      const report = await stage().attempt({ attack: name, way: "unconfined room" });
      expect(worked(attack, report, stage().secret) || refusedByMachine(report), wordsOf(report)).toBe(true);
    });
  }
});

// --- internal ---

/** A stage that is there while the tests of this `describe` run. */
function stageFor(daemon: number | undefined): () => Stage {
  let stage: Stage | undefined;
  beforeAll(() => {
    stage = openStage({ ...files, user: daemon });
  });
  afterAll(() => stage?.[Symbol.asyncDispose]());
  return () => stage!;
}

function isForX64(control: NativeAttack["control"]): boolean {
  return control.ends !== "fails" && control.needs.startsWith("x86-64");
}
