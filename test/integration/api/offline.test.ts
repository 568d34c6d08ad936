import { expect, test } from "bun:test";
import { offlinePlugins } from "../../../src/api/offline.ts";
import { databaseFile } from "../../../src/base/paths.ts";
import { openDatabase } from "../../../src/state/database.ts";
import { makePluginRows } from "../../../src/state/plugins.ts";
import { tempDir } from "../../harness.ts";
import { pluginRow } from "../../fixtures/plugin-row.ts";

test("one plugin that this version can't read does not hide the others", async () => {
  await using dir = tempDir();
  const db = openDatabase(databaseFile(dir.path));
  const rows = makePluginRows(db);
  rows.put({ ...pluginRow, name: "from-the-future", manifest: "[plugin]\ntier = 9\n" });
  rows.put({
    ...pluginRow,
    name: "plain",
    enabled: false,
    manifest: '[plugin]\nname = "plain"\nversion = "1.0.0"\ntier = 2\n',
  });
  db.close();
  const found = await offlinePlugins(dir.path, undefined);
  const names = found?.plugins.map(({ name }) => name);
  expect(names).toEqual(["from-the-future", "plain", "docker", "process"]);
});

test("a folder without our data is no list, not an empty one", async () => {
  await using dir = tempDir();
  expect(await offlinePlugins(dir.path, dir.path)).toBeUndefined();
});
