/** Whose turn it is among the calls of one provider. */
import { expect, test } from "bun:test";
import { LIMITS } from "../../../../src/base/limits.ts";
import { makeLanes } from "../../../../src/host/runtimes/exec/lanes.ts";

test("who gives up just when his turn comes takes nobody else out of the line", async () => {
  const never = new AbortController().signal;
  // At which moment of the hand-over is the machinery's business: each of them.
  for (let moment = 0; moment < 12; moment++) {
    const lanes = makeLanes();
    const ends = Array.from({ length: LIMITS.providerExecsAtOnce }, () => Promise.withResolvers<void>());
    const holders = ends.map(({ promise }) => lanes.run("exec", never, () => promise));
    const leaving = new AbortController();
    const gone = lanes.run("exec", leaving.signal, async () => {}).catch(() => {});
    const entered: string[] = [];
    const waiting = ["first", "second", "third"].map((name) =>
      lanes.run("exec", never, async () => void entered.push(name)),
    );
    ends[0]?.resolve();
    for (let step = 0; step < moment; step++) await Promise.resolve();
    leaving.abort(new Error("gone"));
    for (const { resolve } of ends) resolve();
    await Promise.all([...holders, gone]);
    await Promise.race([Promise.all(waiting), Bun.sleep(500)]);
    expect(entered.toSorted()).toEqual(["first", "second", "third"]);
  }
});
