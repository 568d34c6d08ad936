import { describe, expect, test } from "bun:test";
import { isVoxError } from "../../../../src/base/errors.ts";
import { isAreaName, parseAreaPath } from "../../../../src/host/files/area-path.ts";

function outcome(path: string): unknown {
  try {
    return parseAreaPath(path);
  } catch (error) {
    return isVoxError(error) ? error.code : error;
  }
}

describe("a path of a plugin", () => {
  test.each([
    "files",
    "files/a",
    "files/a/ü/日本 x",
    "files/..a",
    "files/a..",
    "files/…",
    "backups/2026/db.gz",
  ])("%s is taken apart", (path) => {
    expect(outcome(path)).toEqual(path.split("/"));
  });

  test.each([
    "/files/a",
    "/etc/passwd",
    "..",
    "../files/a",
    "files/..",
    "files/../secret.key",
    "files/a/../../voxeltron.db",
    "files/a/..",
    "backups/../secret.key",
    "",
    ".",
    "./files/a",
    "file",
    "filesx/a",
    "FILES/a",
    "Files",
    "ﬁles/a",
    "files\\..\\secret.key",
    "files%2f..%2fsecret.key",
    "secret.key",
    "plugins/x",
    "voxeltron.db",
    "proc/self/environ",
    "~/x",
    "file:///etc/passwd",
  ])("%j is outside", (path) => {
    expect(outcome(path)).toBe("capability.out_of_scope");
  });

  test.each([
    "files/",
    "files//x",
    "files/a/",
    "files/./x",
    "files/x/.",
    "files/a\0b",
    "files/a\nb",
    "files/a\u001bb",
    "files/a\u0085b",
    "files/a\u2028b",
    "files/a\\b",
    "files/\ud800",
    "files/\ufffd",
    "files/.voxeltron-x",
    "files/a/.voxeltron-x/b",
    `files/${"x".repeat(256)}`,
    `files/${"ü".repeat(128)}`,
    `files${"/x".repeat(2100)}`,
    `files${"/x".repeat(32)}`,
  ])("%j is no path", (path) => {
    expect(outcome(path)).toBe("capability.invalid_params");
  });

  test("names that no plugin can say are not shown to any", () => {
    expect(["a", ".hidden", "a b", "ü"].filter(isAreaName)).toHaveLength(4);
    expect(["", ".", "..", "a\nb", "a\\b", ".voxeltron-part", "\ufffd"].filter(isAreaName)).toEqual([]);
  });
});
