/** The tables of the plugin host: rows come back as they went in, bounds hold, and one plugin sees nothing of another. */
import { expect, test } from "bun:test";
import { makeAuditRows } from "../../../src/state/audit.ts";
import { openDatabase } from "../../../src/state/database.ts";
import { makeGrantRows } from "../../../src/state/grants.ts";
import { makePluginKvRows } from "../../../src/state/plugin-kv.ts";
import { makePluginLogRows } from "../../../src/state/plugin-logs.ts";
import { makePluginUidRows } from "../../../src/state/plugin-uids.ts";
import { makePluginVersionRows } from "../../../src/state/plugin-versions.ts";
import { makePluginRows } from "../../../src/state/plugins.ts";
import { pluginRow } from "../../fixtures/plugin-row.ts";

const row = { ...pluginRow, name: "b" };

test("plugins: rows are listed by name, replaced and removed", () => {
  const rows = makePluginRows(openDatabase(":memory:"));
  rows.put(row);
  rows.put({ ...row, name: "a", isolation: "worker", bundleDigest: "sha256:2" });
  rows.put({ ...row, version: "2.0.0" });
  rows.setEnabled("b", false);
  expect(rows.list()).toEqual([
    { ...row, name: "a", isolation: "worker", bundleDigest: "sha256:2" },
    { ...row, version: "2.0.0", enabled: false },
  ]);
  rows.remove("b");
  expect(rows.get("b")).toBeUndefined();
});

test("plugins: what happens to one is kept in its row", () => {
  const rows = makePluginRows(openDatabase(":memory:"));
  rows.put({ ...row, builtins: ["node:crypto", "node:path"], link: "/home/me/b", dropIn: "/p/b" });
  rows.put({ ...row, name: "other" });
  rows.setStruckOut("b", "now");
  rows.setPaused("b", "it asks for more");
  expect(rows.get("b")).toEqual({
    ...row,
    builtins: ["node:crypto", "node:path"],
    link: "/home/me/b",
    struckOutAt: "now",
    paused: "it asks for more",
    dropIn: "/p/b",
  });
  rows.setPaused("b", null);
  expect(rows.get("b")?.paused).toBeNull();
  expect(rows.get("other")).toEqual({ ...row, name: "other" });
});

test("versions: those of one plugin, the one that was replaced last first, and none of them twice", () => {
  const versions = makePluginVersionRows(openDatabase(":memory:"));
  const {
    enabled: _enabled,
    struckOutAt: _at,
    link: _link,
    paused: _paused,
    dropIn: _folder,
    ...version
  } = row;
  const digests = () => versions.list("b").map(({ digest }) => digest);
  for (const digest of ["sha256:1", "sha256:2", "sha256:3", "sha256:1"]) versions.put({ ...version, digest });
  versions.put({ ...version, name: "other" });
  expect(digests()).toEqual(["sha256:1", "sha256:3", "sha256:2"]);
  versions.remove("b", "sha256:3");
  expect(digests()).toEqual(["sha256:1", "sha256:2"]);
  versions.put({ ...row, digest: "sha256:4", builtins: ["node:crypto"], isolation: "process" });
  expect(versions.list("b")[0]).toEqual({
    ...version,
    digest: "sha256:4",
    builtins: ["node:crypto"],
    isolation: "process",
  });
  versions.clear("b");
  expect(digests()).toEqual([]);
  expect(versions.list("other")).toEqual([{ ...version, name: "other" }]);
});

test("grants: they belong to a digest, and an empty scope is not the whole capability", () => {
  const rows = makeGrantRows(openDatabase(":memory:"));
  const grant = { capability: "fs_read", scope: [], grantedBy: "root", grantedAt: "now" };
  rows.put("a", "one", grant);
  rows.put("a", "one", { ...grant, capability: "logs_read", scope: null });
  rows.put("b", "one", grant);
  expect(rows.list("a", "one")).toEqual([grant, { ...grant, capability: "logs_read", scope: null }]);
  expect(rows.list("a", "two")).toEqual([]);
  rows.remove("a", "fs_read");
  expect(rows.list("a", "one")).toHaveLength(1);
  rows.put("a", "two", grant);
  rows.put("a", "two", { ...grant, capability: "logs_read" });
  rows.remove("a", "logs_read");
  expect([rows.list("a", "one"), rows.list("a", "two")]).toEqual([[], [grant]]);
  rows.put("a", "one", grant);
  rows.forget("a", "two");
  expect([rows.list("a", "one"), rows.list("a", "two")]).toEqual([[grant], []]);
  rows.clear("a");
  expect(rows.list("a", "one")).toEqual([]);
  expect(rows.list("b", "one")).toEqual([grant]);
});

test("uids: one for each plugin, and no two have the same", () => {
  const rows = makePluginUidRows(openDatabase(":memory:"));
  rows.put("b", 7);
  rows.put("a", 3);
  rows.put("b", 9);
  expect([rows.get("a"), rows.get("b"), rows.get("c"), rows.taken()]).toEqual([3, 9, undefined, [3, 9]]);
  expect(() => rows.put("c", 9)).toThrow("UNIQUE");
  expect(() => rows.put("c", 0)).toThrow("CHECK");
  rows.put("c", 5);
  rows.retain(["a", "c", "not there"]);
  expect(rows.taken()).toEqual([3, 5]);
  rows.remove("a");
  expect(rows.taken()).toEqual([5]);
});

test("kv: values, prefixes and the bound of the whole store", () => {
  const kv = makePluginKvRows(openDatabase(":memory:"));
  expect(kv.set("a", "key", "1", 100)).toBe(true);
  expect(kv.set("b", "key", "2", 100)).toBe(true);
  expect([kv.get("a", "key"), kv.get("b", "key"), kv.get("a", "other")]).toEqual(["1", "2", undefined]);
  for (const key of ["x%1", "x%2", "x_1", "ü"]) kv.set("a", key, "1", 100);
  expect(kv.list("a", "x%")).toEqual(["x%1", "x%2"]);
  expect(kv.list("a", "")).toEqual(["key", "x%1", "x%2", "x_1", "ü"]);
  expect(kv.delete("a", "ü")).toBe(true);
  expect(kv.delete("a", "ü")).toBe(false);
  kv.clear("a");
  expect(kv.list("a", "")).toEqual([]);
  expect(kv.get("b", "key")).toBe("2");
  expect(kv.set("a", "k", "x".repeat(9), 10)).toBe(true);
  expect(kv.set("a", "k", "ü".repeat(5), 10)).toBe(false);
  expect(kv.get("a", "k")).toBe("x".repeat(9));
  expect(kv.set("a", "k", "y".repeat(9), 10)).toBe(true);
  expect(kv.set("a", "l", "1", 10)).toBe(false);
});

test("logs: lines that are long go sooner", () => {
  const logs = makePluginLogRows(openDatabase(":memory:"), { rows: 5_000, bytes: 100_000 });
  logs.append("quiet", { at: "then", level: "info", text: "x".repeat(50_000) });
  for (let index = 0; index < 1_000; index++)
    logs.append("loud", {
      at: "now",
      level: "info",
      text: "é".repeat(500),
      fields: { index, more: "y".repeat(480) },
    });
  const kept = logs.newest("loud", 10_000);
  expect(kept.at(-1)?.fields?.["index"]).toBe(999);
  // What fits, and those since it was last looked.
  expect(kept.length).toBeGreaterThan(50);
  expect(kept.length).toBeLessThan(180);
  expect(logs.newest("quiet", 10)).toHaveLength(1);
});

test("logs: the newest are kept, and one plugin's flood does not push out another's", () => {
  const logs = makePluginLogRows(openDatabase(":memory:"), { rows: 50, bytes: 1_000_000 });
  logs.append("quiet", { at: "then", level: "info", text: "hello", fields: { a: [1] } });
  for (let index = 0; index < 1000; index++)
    logs.append("loud", { at: "now", level: "info", text: `${index}` });
  expect(logs.newest("loud", 2).map((line) => line.text)).toEqual(["998", "999"]);
  const all = logs.newest("loud", 10_000);
  expect(all.length).toBeGreaterThanOrEqual(50);
  expect(all.length).toBeLessThanOrEqual(50 + 101);
  expect(logs.newest("quiet", 10)).toMatchObject([{ text: "hello", fields: { a: [1] } }]);
  const seq = all.at(-3)?.seq ?? 0;
  expect(logs.after("loud", seq, 10).map((line) => line.text)).toEqual(["998", "999"]);
  expect(logs.after("loud", seq, 1).map((line) => line.text)).toEqual(["998"]);
  expect(logs.lastSeq("loud")).toBe(all.at(-1)?.seq ?? -1);
  expect(logs.lastSeq("nobody")).toBe(0);
});

test("audit: the newest are kept, and one plugin's flood does not push out what another did", () => {
  const audit = makeAuditRows(openDatabase(":memory:"), 50);
  const row = { at: "then", method: "net.fetch", capability: null, target: "GET a", outcome: "ok" };
  audit.append({ ...row, plugin: "quiet" });
  for (let index = 0; index < 500; index++)
    audit.append({
      at: "now",
      plugin: "a",
      method: "notify.send",
      capability: null,
      target: `${index}`,
      outcome: "ok",
    });
  const rows = audit.newest("a", {}, 10_000);
  expect(rows.at(-1)?.target).toBe("499");
  expect(audit.newest("quiet", {}, 10)).toHaveLength(1);
  expect(rows.length).toBeLessThanOrEqual(50 + 101);
  expect(rows.length).toBeGreaterThanOrEqual(50);
});
