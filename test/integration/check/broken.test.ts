/** Plugins with planted defects: the check finds each of them, ends, and leaves neither a process nor a file of its own. */
import { describe, expect, test } from "bun:test";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { makeGuestWasm } from "../../../scripts/guest-wasm/make-guest-wasm.ts";
import { BROKEN_HOOKS, BROKEN_MANIFESTS, BROKEN_SCRIPTS } from "../../fixtures/checked/broken-plugins.ts";
import { BROKEN_PROVIDERS, type Planted } from "../../fixtures/checked/broken-providers.ts";
import { needs, tempDir } from "../../harness.ts";
import { leftIn, runCheck, writePlugin } from "./checked.ts";

await makeGuestWasm();

/** It waits for its turn too. */
const LONGEST_MS = 300_000;
const AT_ONCE = 3;

const KINDS: Readonly<Record<string, readonly Planted[]>> = {
  "a provider that": BROKEN_PROVIDERS,
  "a hook that": BROKEN_HOOKS,
  "a script that": BROKEN_SCRIPTS,
  "the manifest": BROKEN_MANIFESTS,
};

for (const [kind, planted] of Object.entries(KINDS))
  describe.skipIf(!needs("linux"))(kind, () => {
    for (const each of planted.filter((one) => one.needs === undefined || needs(one.needs)))
      test.concurrent(each.name, () => atMost(() => findsAll(each)), LONGEST_MS);
  });

test("there are more than twenty of them, most of them executables", () => {
  expect(BROKEN_PROVIDERS.length + BROKEN_HOOKS.length).toBeGreaterThan(20);
  expect(BROKEN_SCRIPTS.length + BROKEN_MANIFESTS.length).toBeGreaterThan(10);
});

// --- internal ---

const turns: Promise<unknown>[] = Array.from({ length: AT_ONCE }, () => Promise.resolve());
let next = 0;

/** A few at a time: on a machine with two processors more of them would only wait for each other, and be late. */
function atMost(work: () => Promise<void>): Promise<void> {
  const turn = next++ % AT_ONCE;
  const mine = (turns[turn] ?? Promise.resolve()).then(work);
  turns[turn] = mine.catch(() => {});
  return mine;
}

async function findsAll({ files, finds, args = [] }: Planted): Promise<void> {
  await using dir = tempDir();
  const { report, status, stderr } = await runCheck(writePlugin(dir.path, files), dir.path, [
    "--yes",
    ...args,
  ]);
  const said = report.results
    .filter((result) => result.found !== undefined)
    .map(({ check, outcome, subject = "", found = "" }) => `${outcome} ${check} ${subject}: ${found}`);
  for (const { check, outcome = "failed", subject = "", found } of finds) {
    const isFound = said.some(
      (line) => line.startsWith(`${outcome} ${check} ${subject}`) && found.test(line),
    );
    // What there is instead, where it is not.
    if (!isFound) expect(said).toContain(`${outcome} ${check} ${subject}: ${found.source}`);
  }
  const isFailure = finds.some(({ outcome }) => outcome !== "warning");
  expect({ ok: report.ok, fails: status !== 0, stderr: isFailure ? "" : stderr }).toEqual({
    ok: !isFailure,
    fails: isFailure,
    stderr: "",
  });
  if (isFailure) expect([1, 7]).toContain(status);
  expect(leftIn(dir.path)).toEqual([]);
  expect(readdirSync(join(dir.path, "tmp")).filter((name) => name.startsWith("voxeltron-check-"))).toEqual(
    [],
  );
}
