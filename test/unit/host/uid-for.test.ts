/** Users for plugins: one for each, kept, given back, and never one that is somebody's or that does not exist. */
import { describe, expect, test } from "bun:test";
import { bundlerUid, makeUidFor, type UidRange, type Users } from "../../../src/host/uid-for.ts";
import { openDatabase } from "../../../src/state/database.ts";
import { makePluginUidRows } from "../../../src/state/plugin-uids.ts";

function world(first: number, last: number, changes: Partial<Users> = {}) {
  let range: UidRange = { first, last };
  const rows = makePluginUidRows(openDatabase(":memory:"));
  const users: Users = { range: () => range, canChangeUid: true, areIdsMapped: () => true, ...changes };
  return {
    rows,
    users,
    uidFor: makeUidFor(rows, users),
    again: () => makeUidFor(rows, users),
    move: (next: UidRange) => (range = next),
  };
}

describe("makeUidFor", () => {
  test("gives each plugin one of its own, the same at every call and after a restart", () => {
    const { uidFor, again, users } = world(1000, 1010);
    expect([uidFor("a"), uidFor("b"), uidFor("a"), uidFor("c")]).toEqual([1001, 1002, 1001, 1003]);
    expect([again()("c"), again()("a")]).toEqual([1003, 1001]);
    expect(bundlerUid(users)).toBe(1000);
  });

  test("gives to the next what a removed plugin had", () => {
    const { uidFor, rows } = world(1000, 1010);
    for (const name of ["a", "b", "c"]) uidFor(name);
    rows.remove("b");
    expect([uidFor("d"), uidFor("e"), uidFor("b")]).toEqual([1002, 1004, 1005]);
  });

  test("says so when the range is used up, and goes on when it is widened or one is removed", () => {
    const { uidFor, rows, move } = world(1000, 1002);
    expect([uidFor("a"), uidFor("b")]).toEqual([1001, 1002]);
    expect(() => uidFor("c")).toThrow(expect.objectContaining({ code: "config.invalid" }));
    expect(uidFor("b")).toBe(1002);
    move({ first: 1000, last: 1003 });
    expect(uidFor("c")).toBe(1003);
    rows.remove("a");
    expect(uidFor("d")).toBe(1001);
  });

  test("moves with the range, one plugin at a time and never onto another's", () => {
    const { uidFor, move, users, rows } = world(1000, 1010);
    for (const name of ["a", "b", "c"]) uidFor(name);
    move({ first: 1002, last: 1012 });
    expect(bundlerUid(users)).toBe(1002);
    expect(uidFor("c")).toBe(1003);
    expect([uidFor("b"), uidFor("a")]).toEqual([1004, 1005]);
    expect(rows.taken()).toEqual([1003, 1004, 1005]);
    move({ first: 5000, last: 5010 });
    expect([uidFor("a"), uidFor("b"), uidFor("c")]).toEqual([5001, 5002, 5003]);
  });

  test("gives none, and remembers none, where nobody else can be become", () => {
    const { uidFor, rows, users } = world(1000, 1010, { canChangeUid: false, areIdsMapped: () => false });
    expect([uidFor("a"), bundlerUid(users)]).toEqual([undefined, undefined]);
    expect(rows.taken()).toEqual([]);
  });

  test("refuses ids that the user namespace does not have, for what it gave before too", () => {
    let mapped = true;
    const { uidFor, users } = world(1000, 1010, { areIdsMapped: (first, last) => mapped && first < last });
    expect(uidFor("a")).toBe(1001);
    mapped = false;
    for (const ask of [() => uidFor("a"), () => uidFor("b"), () => bundlerUid(users)])
      expect(ask).toThrow(expect.objectContaining({ code: "config.invalid" }));
  });
});
