import { expect, test } from "bun:test";
import { openDatabase } from "../../../src/state/database.ts";
import { makeWorkspaceRows, type WorkspaceRow } from "../../../src/state/workspaces.ts";

const row: WorkspaceRow = {
  name: "shop",
  provider: "docker",
  server: "local",
  spec: "{}",
  image: null,
  instance: "vx-ws-shop-00000000",
  desired: "stopped",
  phase: "create",
  next: "start",
  made: false,
  error: null,
  createdAt: "2026-01-01T00:00:00.000Z",
};

test("a workspace is kept as it was given, changed in part, and removed", () => {
  const rows = makeWorkspaceRows(openDatabase(":memory:"));
  expect(rows.find("shop")).toBeUndefined();
  rows.insert(row);
  expect(rows.find("shop")).toEqual(row);
  expect(() => rows.insert(row)).toThrow();
  expect([rows.hasInstance(row.instance), rows.hasInstance("other")]).toEqual([true, false]);
  rows.change("shop", { phase: null, made: true, error: "no" });
  expect(rows.list()).toEqual([{ ...row, phase: null, made: true, error: "no" }]);
  rows.change("other", { made: true });
  rows.remove("shop");
  expect(rows.list()).toEqual([]);
});

test("what is done in a transaction that fails is not there", () => {
  const rows = makeWorkspaceRows(openDatabase(":memory:"));
  expect(() =>
    rows.transaction(() => {
      rows.insert(row);
      throw new Error("no");
    }),
  ).toThrow("no");
  expect(rows.list()).toEqual([]);
});
