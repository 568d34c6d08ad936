/** The doctor's table: each finding says what was found and, where something is missing, what to do. */
import { describe, expect, test } from "bun:test";
import { chmodSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fail } from "../../../src/base/errors.ts";
import { examine, type DoctorFacts } from "../../../src/daemon/doctor.ts";
import { confinementReport } from "../../../src/platform/confine/report.ts";
import { needs, tempDir } from "../../harness.ts";

const plugins = { uid_range: { first: 1_900_000_000, last: 1_900_065_535 }, allow_unconfined: false };
const facts: DoctorFacts = {
  plugins,
  bundle: async () => ({ code: "", sourceMap: "", builtins: [] }),
  key: undefined,
  servers: { settings: {}, nowMs: 0 },
};

const named = async (name: string, given: DoctorFacts) =>
  (await examine(given)).findings.find((finding) => finding.name === name);

describe("examine", () => {
  test("has all of what can be said of confinement, and each finding that is not ok says what to do", async () => {
    const { findings } = await examine(facts);
    const names = findings.map(({ name }) => name);
    for (const { name } of confinementReport().checks) expect(names).toContain(`confinement.${name}`);
    expect(new Set(names).size).toBe(names.length);
    expect(findings.filter(({ ok, advice }) => !ok && advice === null)).toEqual([]);
  });

  test.skipIf(!needs("linux"))("fails where the trial does, whatever the kernel says", async () => {
    const bundle = () =>
      Promise.reject(fail("confinement.unavailable", "step landlock", { hint: "do this" }));
    expect(await named("confinement.trial", facts)).toMatchObject({ ok: true });
    expect(await named("confinement.trial", { ...facts, bundle })).toEqual({
      name: "confinement.trial",
      ok: false,
      required: true,
      found: "step landlock",
      advice: "do this",
    });
    expect((await examine({ ...facts, bundle })).ok).toBe(false);
  });

  test("a bug in the trial is a bug, not a finding", async () => {
    if (!confinementReport().ok) return;
    expect(examine({ ...facts, bundle: () => Promise.reject(new TypeError("x")) })).rejects.toThrow("x");
  });

  test("says that unconfined processes are allowed, and goes on", async () => {
    const allowed = { ...facts, plugins: { ...plugins, allow_unconfined: true } };
    expect(await named("plugins.allow_unconfined", facts)).toMatchObject({ ok: true });
    expect(await named("plugins.allow_unconfined", allowed)).toMatchObject({ ok: false, required: false });
    expect((await examine(allowed)).ok).toBe((await examine(facts)).ok);
  });

  test("looks at the key that seals secrets: whether it is one, and whose", async () => {
    await using dir = tempDir();
    const file = join(dir.path, "secret.key");
    const look = () => named("secrets.key", { ...facts, key: { file, kind: "file" } });
    expect(await look()).toMatchObject({ ok: true, found: expect.stringContaining("there is none yet") });
    writeFileSync(file, Buffer.alloc(32), { mode: 0o600 });
    expect(await look()).toMatchObject({ ok: true, found: `${file}: one key, which nobody else may read` });
    chmodSync(file, 0o640);
    expect(await look()).toMatchObject({
      ok: false,
      required: true,
      advice: expect.stringContaining("chmod"),
    });
    chmodSync(file, 0o600);
    writeFileSync(file, Buffer.alloc(31));
    expect(await look()).toMatchObject({
      ok: false,
      found: expect.stringContaining("31 bytes instead of 32"),
    });
    expect(await named("secrets.key", facts)).toBeUndefined();
  });

  test.skipIf(!needs("linux"))("looks for the ids of the range", async () => {
    const beyond = { ...plugins, uid_range: { first: 2 ** 32 - 1, last: 2 ** 32 } };
    expect(await named("plugins.uid_range", facts)).toMatchObject({
      ok: true,
      found: "1900000000 to 1900065535",
    });
    expect(await named("plugins.uid_range", { ...facts, plugins: beyond })).toMatchObject({ ok: false });
  });
});
