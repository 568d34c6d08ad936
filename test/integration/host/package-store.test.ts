/** Folders of installed plugins, and what is made of them after a crash: the database's rows alone decide. */
import { expect, test } from "bun:test";
import { existsSync, mkdirSync, readdirSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { digestOf } from "../../../src/host/package/digest.ts";
import { bundleDigest, makePackageStore } from "../../../src/host/package/package-store.ts";
import { tempDir } from "../../harness.ts";
import { filesOf } from "./world.ts";

const files = filesOf({ "plugin.toml": "x", "lib/deep/a.ts": "1" });
const digest = digestOf(files);
const short = digest.slice(7, 23);
const oldBundle = { code: "old", sourceMap: "{}" };
const newBundle = { code: "new", sourceMap: undefined };
const row = (bundle: typeof oldBundle | typeof newBundle) => ({ digest, bundleDigest: bundleDigest(bundle) });

test("what is placed can be read back, with its execute bits", async () => {
  await using dir = tempDir();
  const store = makePackageStore(dir.path);
  const some = new Map([...files, ["run.sh", { bytes: new TextEncoder().encode("#!"), executable: true }]]);
  const sum = digestOf(some);
  await store.place(await store.stage(some, oldBundle), "sample", sum);
  expect(digestOf(await store.readFiles("sample", sum))).toBe(sum);
  expect(await store.readBundle("sample", sum)).toEqual(oldBundle);
});

test("a crash between a folder's replacement and its row brings the old folder back", async () => {
  await using dir = tempDir();
  const store = makePackageStore(dir.path);
  await store.place(await store.stage(files, oldBundle), "sample", digest);
  await store.place(await store.stage(files, newBundle), "sample", digest);
  expect(await store.readBundle("sample", digest)).toEqual(newBundle);
  await makePackageStore(dir.path).sweep(new Map([["sample", [row(oldBundle)]]]));
  expect(await store.readBundle("sample", digest)).toEqual(oldBundle);
  expect(existsSync(join(dir.path, ".staging"))).toBe(false);
});

test("a crash between moving the old folder aside and the new one in brings the old one back", async () => {
  await using dir = tempDir();
  const store = makePackageStore(dir.path);
  await store.place(await store.stage(files, oldBundle), "sample", digest);
  await store.stage(files, newBundle);
  renameSync(join(dir.path, "sample", short), join(dir.path, `.staging/sample~${short}`));
  await makePackageStore(dir.path).sweep(new Map([["sample", [row(oldBundle)]]]));
  expect(await store.readBundle("sample", digest)).toEqual(oldBundle);
  expect(readdirSync(dir.path)).toEqual(["sample"]);
});

test("a crash after the row keeps the new folder", async () => {
  await using dir = tempDir();
  const store = makePackageStore(dir.path);
  await store.place(await store.stage(files, oldBundle), "sample", digest);
  await store.place(await store.stage(files, newBundle), "sample", digest);
  await makePackageStore(dir.path).sweep(new Map([["sample", [row(newBundle)]]]));
  expect(await store.readBundle("sample", digest)).toEqual(newBundle);
  expect(existsSync(join(dir.path, ".staging"))).toBe(false);
});

test("folders that no row names go, and a row without a folder is left alone", async () => {
  await using dir = tempDir();
  const store = makePackageStore(dir.path);
  await store.place(await store.stage(files, oldBundle), "sample", digest);
  mkdirSync(join(dir.path, "sample/0000000000000000"));
  mkdirSync(join(dir.path, "stranger/1111111111111111"), { recursive: true });
  writeFileSync(join(dir.path, "stranger/1111111111111111/x"), "");
  await store.stage(files, newBundle);
  await store.sweep(
    new Map([
      ["sample", [row(oldBundle)]],
      ["lost", [row(oldBundle)]],
    ]),
  );
  expect(readdirSync(dir.path)).toEqual(["sample"]);
  expect(readdirSync(join(dir.path, "sample"))).toEqual([short]);
  expect(await store.readFiles("lost", digest).catch((error: { code: string }) => error.code)).toBe(
    "plugin.tampered",
  );
});

test("one plugin's leftovers are not taken for another's whose name begins alike", async () => {
  await using dir = tempDir();
  const store = makePackageStore(dir.path);
  await store.place(await store.stage(files, oldBundle), "sample-two", digest);
  await store.stage(files, newBundle);
  renameSync(join(dir.path, "sample-two", short), join(dir.path, `.staging/sample-two~${short}`));
  await store.settle("sample", []);
  await store.settle("sample-two", [row(oldBundle)]);
  expect(await store.readBundle("sample-two", digest)).toEqual(oldBundle);
});
