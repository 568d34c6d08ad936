/** One list of scenarios, every room, every language: what a plugin sees must not depend on where it runs. */
import { describe, expect, test } from "bun:test";
import { play } from "./play.ts";
import { columns } from "./rooms.ts";
import { SCENARIOS } from "./scenarios/all.ts";

for (const column of await columns()) play(column, SCENARIOS);

describe("the list", () => {
  test("has no two scenarios of one name", () => {
    const names = SCENARIOS.map(({ name }) => name);
    expect(names.filter((name, index) => names.indexOf(name) !== index)).toEqual([]);
  });

  test("says of every scenario that is not run somewhere, or seen in another way, why", () => {
    for (const { otherwise = [] } of SCENARIOS) {
      for (const { why } of otherwise) expect(why).toMatch(/^\S.{20,}\.$/);
    }
  });
});
