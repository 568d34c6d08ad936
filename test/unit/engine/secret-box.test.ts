import { expect, test } from "bun:test";
import { chmodSync, existsSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileBox } from "../../fixtures/secret-box.ts";
import { tempDir } from "../../harness.ts";

test("what was sealed opens again, also by a box that is opened later", async () => {
  await using dir = tempDir();
  const file = join(dir.path, "secret.key");
  const sealed = fileBox(file).seal("hunter2 ü", "registry:ghcr.io");
  expect(fileBox(file).open(sealed, "registry:ghcr.io")).toBe("hunter2 ü");
  expect(statSync(file).mode & 0o777).toBe(0o600);
  expect(readdirSync(dir.path)).toEqual(["secret.key"]);
});

test("the same secret never seals to the same bytes, and shows nowhere in them", async () => {
  await using dir = tempDir();
  const box = fileBox(join(dir.path, "key"));
  const [a, b] = [box.seal("hunter2", "p"), box.seal("hunter2", "p")];
  expect(Buffer.from(a).equals(Buffer.from(b))).toBe(false);
  expect(Buffer.from(a).includes("hunter2")).toBe(false);
});

test("another key, another purpose, a changed byte and a cut value are all unreadable", async () => {
  await using dir = tempDir();
  const file = join(dir.path, "key");
  const box = fileBox(file);
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
  expect(() => fileBox(file).open(sealed, "registry:a")).toThrow(unreadable);
});

test("a key file that others may read, or that is no key, is refused with a code of its own and left alone", async () => {
  await using dir = tempDir();
  const file = join(dir.path, "key");
  const use = () => fileBox(file).seal("x", "p");
  use();
  chmodSync(file, 0o640);
  expect(use).toThrow(
    expect.objectContaining({
      code: "secret.key_exposed",
      message: expect.stringContaining("has mode 640"),
      hint: `take the right away with: chmod 600 ${file}`,
    }),
  );
  chmodSync(file, 0o600);
  for (const text of ["short", "", "x".repeat(33), "x".repeat(32 * 5)]) {
    writeFileSync(file, text);
    expect(use).toThrow(
      expect.objectContaining({
        code: "secret.key_invalid",
        message: expect.stringContaining(`${text.length} bytes instead of 32`),
      }),
    );
    expect(statSync(file).size).toBe(text.length);
  }
  rmSync(file);
  expect(() => fileBox(dir.path).seal("x", "p")).toThrow(
    expect.objectContaining({ code: "secret.key_invalid" }),
  );
});

test("a key that is gone is not replaced by a new one while there is something that it sealed", async () => {
  await using dir = tempDir();
  const file = join(dir.path, "key");
  const box = fileBox(file, () => true);
  expect(() => box.seal("x", "p")).toThrow(expect.objectContaining({ code: "secret.key_missing" }));
  expect(existsSync(file)).toBe(false);
  // Put back, it is found without a restart.
  const sealed = fileBox(file).seal("x", "p");
  expect(box.open(sealed, "p")).toBe("x");
});
