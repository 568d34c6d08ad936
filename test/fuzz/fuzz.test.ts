/**
 * Seeded samples of the fuzzers; `bun run soak` runs each at its full count. A failure prints the seed: VOXELTRON_SEED brings it
 * back.
 */
import { describe, expect, test } from "bun:test";
import { fuzzFrames } from "./guest-frames.ts";
import { fuzzGuestMessages } from "./guest-messages.ts";

const SEED = Number(process.env["VOXELTRON_SEED"] ?? 20_261_122);
const COUNT = Number(process.env["VOXELTRON_FUZZ"] ?? 5_000);

describe(`fuzz, seed ${SEED}`, () => {
  test("frames that a process writes", () => {
    const { frames, refused } = fuzzFrames(SEED, COUNT);
    expect(frames).toBeGreaterThanOrEqual(COUNT);
    expect(refused).toBeGreaterThan(0);
  });

  test("messages that a guest sends", async () => {
    const { taken, ended } = await fuzzGuestMessages(SEED, COUNT);
    expect(taken).toBe(COUNT);
    expect(Object.keys(ended).toSorted()).toEqual([
      "answered",
      "plugin.failed",
      "plugin.protocol",
      "plugin.timeout",
    ]);
  });
});
