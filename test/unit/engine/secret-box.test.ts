import { expect, test } from "bun:test";
import { chmodSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { openSecretBox } from "../../../src/engine/secret-box.ts";
import { tempDir } from "../../harness.ts";

test("what was sealed opens again, also by a box that is opened later", async () => {
  await using dir = tempDir();
  const file = join(dir.path, "secret.key");
  const sealed = openSecretBox(file).seal("hunter2 ü", "registry:ghcr.io");
  expect(openSecretBox(file).open(sealed, "registry:ghcr.io")).toBe("hunter2 ü");
  expect(statSync(file).mode & 0o777).toBe(0o600);
  expect(readdirSync(dir.path)).toEqual(["secret.key"]);
});

test("the same secret never seals to the same bytes, and shows nowhere in them", async () => {
  await using dir = tempDir();
  const box = openSecretBox(join(dir.path, "key"));
  const [a, b] = [box.seal("hunter2", "p"), box.seal("hunter2", "p")];
  expect(Buffer.from(a).equals(Buffer.from(b))).toBe(false);
  expect(Buffer.from(a).includes("hunter2")).toBe(false);
});

test("another key, another purpose, a changed byte and a cut value are all unreadable", async () => {
  await using dir = tempDir();
  const file = join(dir.path, "key");
  const box = openSecretBox(file);
  const sealed = box.seal("hunter2", "registry:a");
  const unreadable = expect.objectContaining({
    code: "secret.unreadable",
    message: expect.not.stringContaining("hunter2"),
  });
  expect(() => box.open(sealed, "registry:b")).toThrow(unreadable);
  for (let i = 0; i < sealed.length; i++) {
    const changed = Uint8Array.from(sealed);
    changed[i] = (changed[i] as number) ^ 1;
    expect(() => box.open(changed, "registry:a")).toThrow(unreadable);
    expect(() => box.open(sealed.slice(0, i), "registry:a")).toThrow(unreadable);
  }
  rmSync(file);
  expect(() => openSecretBox(file).open(sealed, "registry:a")).toThrow(unreadable);
});

test("a key file that others may read, or that is no key, is refused and left alone", async () => {
  await using dir = tempDir();
  const file = join(dir.path, "key");
  openSecretBox(file);
  chmodSync(file, 0o640);
  expect(() => openSecretBox(file)).toThrow("has mode 640");
  writeFileSync(file, "short");
  chmodSync(file, 0o600);
  expect(() => openSecretBox(file)).toThrow("5 bytes instead of 32");
  expect(statSync(file).size).toBe(5);
});
