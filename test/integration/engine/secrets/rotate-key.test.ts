import { describe, expect, test } from "bun:test";
import { chmodSync, existsSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { silentLog, type Log } from "../../../../src/base/log.ts";
import { makeSecretBox } from "../../../../src/engine/secret-box.ts";
import type { KeyPlace } from "../../../../src/engine/secrets/key-file.ts";
import { makeKeyRing, type KeyRing } from "../../../../src/engine/secrets/key-ring.ts";
import { makeKeyRotation, type KeyRotation } from "../../../../src/engine/secrets/rotate-key.ts";
import { flush, inTransaction, openDatabase } from "../../../../src/state/database.ts";
import { makeServiceSecretRows } from "../../../../src/state/service-secrets.ts";
import { tempDir } from "../../../harness.ts";

const CHILD = join(import.meta.dir, "../../../fixtures/rotation-child.ts");
const VALUES = { A: "first-value", B: "second-value", C: "third-value" } as const;

interface Vault {
  readonly ring: KeyRing;
  readonly rotation: KeyRotation;
  /** Nothing can be written any more. */
  breaks: boolean;
  fill(): void;
  /** Every value, opened. */
  read(): Record<string, string>;
  close(): void;
}

function openVault(dir: string, place: KeyPlace = fileIn(dir), log: Log = silentLog): Vault {
  const db = openDatabase(join(dir, "state.db"));
  const rows = makeServiceSecretRows(db);
  const ring = makeKeyRing(place, () => rows.list().length > 0);
  const box = makeSecretBox(ring);
  const vault: Vault = {
    ring,
    breaks: false,
    rotation: makeKeyRotation({
      ring,
      box,
      values: () =>
        rows.list().map((row) => ({
          purpose: row.name,
          sealed: row.value,
          replace(value) {
            if (vault.breaks) throw new Error("the disk is full");
            rows.put({ ...row, value });
          },
        })),
      transaction: (work) => inTransaction(db, work),
      flush: () => flush(db),
      log,
    }),
    fill() {
      for (const [name, value] of Object.entries(VALUES))
        rows.put({ service: "web", name, value: box.seal(value, name), updatedAt: "" });
    },
    read: () => Object.fromEntries(rows.list().map(({ name, value }) => [name, box.open(value, name)])),
    close: () => db.close(),
  };
  return vault;
}

function fileIn(dir: string): KeyPlace {
  return { file: join(dir, "secret.key"), kind: "file" };
}

/** What a daemon that is killed leaves, is what the next one finds. */
function rotateInChild(dir: string, killAt: number): { readonly killed: boolean; readonly steps: number } {
  const child = Bun.spawnSync([process.execPath, CHILD, dir, String(killAt)]);
  return { killed: child.signalCode === "SIGKILL", steps: Number(child.stdout.toString()) };
}

describe("a rotation of the key", () => {
  test("leaves one new key that opens everything, and the old one opens nothing", async () => {
    await using dir = tempDir();
    const vault = openVault(dir.path);
    vault.fill();
    const old = readFileSync(fileIn(dir.path).file);
    expect(vault.rotation.rotate()).toBe(3);
    expect(vault.read()).toEqual(VALUES);
    vault.close();
    const now = readFileSync(fileIn(dir.path).file);
    expect(now.length).toBe(32);
    expect(now.equals(old)).toBe(false);
    expect(statSync(fileIn(dir.path).file).mode & 0o777).toBe(0o600);
    const again = openVault(dir.path);
    expect(again.read()).toEqual(VALUES);
    again.close();
    writeFileSync(fileIn(dir.path).file, old);
    const stale = openVault(dir.path);
    expect(() => stale.read()).toThrow(expect.objectContaining({ code: "secret.unreadable" }));
    stale.close();
  });

  test("that is killed at any step leaves everything readable, and the next start ends it", async () => {
    await using whole = tempDir();
    const first = openVault(whole.path);
    first.fill();
    first.close();
    const { steps, killed } = rotateInChild(whole.path, -1);
    expect(killed).toBe(false);
    expect(steps).toBeGreaterThan(10);
    for (let step = 1; step <= steps; step++) {
      await using dir = tempDir();
      const vault = openVault(dir.path);
      vault.fill();
      vault.close();
      expect(rotateInChild(dir.path, step)).toMatchObject({ killed: true });
      const next = openVault(dir.path);
      expect(next.read()).toEqual(VALUES);
      next.rotation.finish();
      expect(next.read()).toEqual(VALUES);
      expect(readFileSync(fileIn(dir.path).file).length).toBe(32);
      expect(next.rotation.rotate()).toBe(3);
      expect(next.read()).toEqual(VALUES);
      next.close();
    }
  }, 60_000);

  test("that is killed while it writes the key file leaves the old one, and what it wrote goes at the next start", async () => {
    await using dir = tempDir();
    const vault = openVault(dir.path);
    vault.fill();
    vault.close();
    writeFileSync(`${fileIn(dir.path).file}.new`, "half a key", { mode: 0o600 });
    const next = openVault(dir.path);
    expect(next.read()).toEqual(VALUES);
    expect(readdirSync(dir.path)).not.toContain("secret.key.new");
    next.close();
  });

  test("that fails again and again leaves two keys at most, and everything readable", async () => {
    await using dir = tempDir();
    const vault = openVault(dir.path);
    vault.fill();
    vault.breaks = true;
    for (let i = 0; i < 6; i++) expect(() => vault.rotation.rotate()).toThrow("the disk is full");
    expect(readFileSync(fileIn(dir.path).file).length).toBe(64);
    vault.close();
    const next = openVault(dir.path);
    expect(next.read()).toEqual(VALUES);
    expect(next.rotation.rotate()).toBe(3);
    expect(readFileSync(fileIn(dir.path).file).length).toBe(32);
    expect(next.read()).toEqual(VALUES);
    next.close();
  });

  test("changes nothing where a value can't be opened", async () => {
    await using dir = tempDir();
    const vault = openVault(dir.path);
    vault.fill();
    const key = readFileSync(fileIn(dir.path).file);
    vault.close();
    writeFileSync(fileIn(dir.path).file, Buffer.alloc(32, 7));
    const other = openVault(dir.path);
    expect(() => other.rotation.rotate()).toThrow(expect.objectContaining({ code: "secret.unreadable" }));
    expect(readFileSync(fileIn(dir.path).file)).toEqual(Buffer.alloc(32, 7));
    other.close();
    writeFileSync(fileIn(dir.path).file, key);
    const right = openVault(dir.path);
    expect(right.read()).toEqual(VALUES);
    right.close();
  });
});

describe("a key that the daemon can't write", () => {
  test("is not rotated; a new key before the old one in the file is taken over at the next start", async () => {
    await using dir = tempDir();
    const file = join(dir.path, "credential");
    const old = Buffer.alloc(32, 1);
    writeFileSync(file, old, { mode: 0o400 });
    // As the service manager gives it to a user of its own: by an access list, whose mask shows as the group's rights.
    chmodSync(file, 0o440);
    const place: KeyPlace = { file, kind: "credential" };
    const vault = openVault(dir.path, place);
    vault.fill();
    expect(() => vault.rotation.rotate()).toThrow(
      expect.objectContaining({
        code: "secret.key_fixed",
        hint: expect.stringContaining("cat "),
      }),
    );
    expect(vault.read()).toEqual(VALUES);
    vault.close();

    const young = Buffer.alloc(32, 2);
    chmodSync(file, 0o600);
    writeFileSync(file, Buffer.concat([young, old]));
    const said: string[] = [];
    const next = openVault(dir.path, place, { ...silentLog, info: (text) => void said.push(text) });
    next.rotation.finish();
    expect(said).toEqual([
      "all secrets are sealed under the first key of the file: take the others out of it",
    ]);
    next.close();

    writeFileSync(file, young);
    const last = openVault(dir.path, place);
    last.rotation.finish();
    expect(last.read()).toEqual(VALUES);
    last.close();
  });

  test("and that is not there is never made", async () => {
    await using dir = tempDir();
    const file = join(dir.path, "credential");
    const vault = openVault(dir.path, { file, kind: "credential" });
    expect(() => vault.ring.keys()).toThrow(expect.objectContaining({ code: "secret.key_missing" }));
    expect(existsSync(file)).toBe(false);
    vault.close();
    const nowhere = openVault(dir.path, { file: join(dir.path, "no/such/key"), kind: "file" });
    expect(() => nowhere.ring.keys()).toThrow(
      expect.objectContaining({ code: "secret.key_missing", hint: expect.stringContaining("/dev/urandom") }),
    );
    nowhere.close();
  });
});

test("secrets whose key is gone are told at the start, by name and without a new key", async () => {
  await using dir = tempDir();
  const vault = openVault(dir.path);
  vault.fill();
  vault.close();
  writeFileSync(fileIn(dir.path).file, Buffer.alloc(32, 9));
  const said: unknown[] = [];
  const next = openVault(dir.path, fileIn(dir.path), {
    ...silentLog,
    error: (text, fields) => void said.push(text, fields),
  });
  next.rotation.finish();
  expect(said).toEqual([
    "secrets can't be opened with the key that is there",
    { keyFile: fileIn(dir.path).file, secrets: ["A", "B", "C"] },
  ]);
  next.close();
});
