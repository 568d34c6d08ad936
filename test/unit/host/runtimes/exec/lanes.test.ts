/** Who is too many waits in line, and whoever leaves it takes nobody else along. */
import { describe, expect, test } from "bun:test";
import { LIMITS } from "../../../../../src/base/limits.ts";
import { makeLanes, type Lanes } from "../../../../../src/host/runtimes/exec/lanes.ts";
import { rejection } from "../../../../fixtures/rejection.ts";

const UNENDING = new AbortController().signal;

/** Takes all places of commands; the first of them is given back by what this gives. */
function fill(lanes: Lanes): () => void {
  const first = Promise.withResolvers<void>();
  void lanes.run("exec", UNENDING, () => first.promise);
  for (let place = 1; place < LIMITS.providerExecsAtOnce; place++)
    void lanes.run("exec", UNENDING, () => new Promise(() => {}));
  return first.resolve;
}

describe("a lane", () => {
  test("lets in whoever waited longest, and none that left the line", async () => {
    const lanes = makeLanes();
    const free = fill(lanes);
    const came: string[] = [];
    const leaver = new AbortController();
    const leaving = rejection(lanes.run("exec", leaver.signal, async () => void came.push("leaver")));
    const second = lanes.run("exec", UNENDING, async () => void came.push("second"));
    const third = lanes.run("exec", UNENDING, async () => void came.push("third"));
    leaver.abort(new Error("no more"));
    expect(await leaving).toMatchObject({ message: "no more" });
    free();
    await Promise.all([second, third]);
    expect(came).toEqual(["second", "third"]);
  });

  test("that gave somebody a place forgets nobody else when that one gives up just then", async () => {
    // At some number of turns the place is given and not yet taken.
    for (let turns = 0; turns < 12; turns++) {
      const lanes = makeLanes();
      const free = fill(lanes);
      const leaver = new AbortController();
      const first = lanes.run("exec", leaver.signal, async () => {}).catch(() => {});
      let came = false;
      void lanes.run("exec", UNENDING, async () => void (came = true));
      free();
      for (let turn = 0; turn < turns; turn++) await Promise.resolve();
      leaver.abort(new Error("no more"));
      await first;
      await Bun.sleep(0);
      expect({ turns, came }).toEqual({ turns, came: true });
    }
  });
});
