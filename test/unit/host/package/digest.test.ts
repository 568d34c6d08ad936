/** The digest is a promise to everyone who consented: these values may never change. */
import { expect, test } from "bun:test";
import { digestOf } from "../../../../src/host/package/digest.ts";
import type { PackageFile } from "../../../../src/host/package/package-files.ts";

const file = (text: string, executable = false): PackageFile => ({
  bytes: new TextEncoder().encode(text),
  executable,
});

const golden = new Map([
  ["plugin.toml", file('[plugin]\nname = "golden"\n')],
  ["index.ts", file("export default {};\n")],
  ["bin/run.sh", file("#!/bin/sh\n", true)],
  ["empty", file("")],
  ["ünïcode/\u{1F600}.txt", file("smile")],
  ["\uFFE0.txt", file("sorts before the smile as bytes, after it as UTF-16")],
]);

test("the digest of the golden folder is what it always was", () => {
  expect(digestOf(golden)).toBe("sha256:b2853d0cf64b477d4015c3e3217add9ad1f36ef011f43ce688bb99c8258de39f");
});

test("it is what the rule says, made by other means", () => {
  const lines = [...golden].map(([path, { bytes, executable }]) => {
    const hash = Bun.spawnSync(["sha256sum"], { stdin: bytes }).stdout.toString().slice(0, 64);
    return Buffer.from(`${path}\0${executable ? 1 : 0}\0${bytes.byteLength}\0${hash}\n`);
  });
  const all = Buffer.concat(lines.toSorted((a, b) => a.compare(b)));
  expect(digestOf(golden)).toBe(
    `sha256:${Bun.spawnSync(["sha256sum"], { stdin: all }).stdout.toString().slice(0, 64)}`,
  );
});

test("the order of the files does not matter, and everything else does", () => {
  const base = digestOf(golden);
  expect(digestOf(new Map([...golden].toReversed()))).toBe(base);
  const changed = (path: string, other: PackageFile) => digestOf(new Map(golden).set(path, other));
  expect(changed("empty", file("x"))).not.toBe(base);
  expect(changed("empty", file("", true))).not.toBe(base);
  expect(changed("more", file(""))).not.toBe(base);
  expect(changed("index.ts", file("export default {}; "))).not.toBe(base);
});
