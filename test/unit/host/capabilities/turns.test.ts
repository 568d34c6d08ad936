import { expect, test } from "bun:test";
import { makeRounds, makeTurns } from "../../../../src/host/capabilities/turns.ts";

test("work that waits until it is ready is not overtaken by what came after it", async () => {
  const turn = makeTurns();
  const round = makeRounds();
  const begun: string[] = [];
  const begin = async (name: string): Promise<void> => void begun.push(name);
  const all = [
    turn(() => begin("large"), round),
    turn(() => begin("small")),
    turn(() => begin("last"), round),
  ];
  expect(begun).toEqual([]);
  await Promise.all(all);
  expect(begun).toEqual(["large", "small", "last"]);
});

test("heavy work of many has one round of the loop each, and none in the round in which it was asked", async () => {
  const round = makeRounds();
  let now = 0;
  let isOver = false;
  const count = (): void => {
    now++;
    if (!isOver) setImmediate(count);
  };
  setImmediate(count);
  const rounds: number[] = [];
  await Promise.all(Array.from({ length: 4 }, () => round().then(() => rounds.push(now))));
  isOver = true;
  expect(rounds[0]).toBeGreaterThan(0);
  expect(new Set(rounds).size).toBe(4);
});
