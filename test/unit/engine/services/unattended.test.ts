/** Services on a provider that starts nothing again by itself: the engine looks after them, as their restart policy says. */
import { describe, expect, test } from "bun:test";
import { LIMITS } from "../../../../src/base/limits.ts";
import { fail } from "../../../../src/base/errors.ts";
import { fakeClock, until, type FakeClock } from "../../../harness.ts";
import { makeWorld, type World } from "../service-world.ts";

async function deployed(
  restart: string,
): Promise<{ readonly world: World; readonly clock: FakeClock; readonly id: string }> {
  const clock = fakeClock();
  const world = makeWorld({ clock });
  Object.assign(world.provider, { unattended: true });
  // As at the daemon's start: from then on it looks.
  world.deploys.recover();
  await world.deploys.idle();
  await world.deploy({ image: "app", port: 80, restart });
  const [id = ""] = world.provider.cluster.keys();
  world.provider.calls.length = 0;
  return { world, clock, id };
}

function ends({ provider }: World, id: string, exitCode: number): void {
  const instance = provider.cluster.get(id);
  if (instance !== undefined) instance.status = { state: "exited", exitCode };
}

const starts = ({ provider }: World) => provider.calls.filter((call) => call.startsWith("start"));

describe("a service that ended", () => {
  test.each([
    ["always", 0, true],
    ["on-failure", 1, true],
    ["on-failure", 0, false],
    ["no", 1, false],
  ] as const)(
    "with restart = %s and exit code %d is started again: %p",
    async (restart, exitCode, isStarted) => {
      const { world, clock, id } = await deployed(restart);
      ends(world, id, exitCode);
      expect(starts(world)).toEqual([]);
      await clock.advance(LIMITS.unattendedLookMs);
      await until(() => world.provider.calls.length > 0);
      await world.deploys.idle();
      expect(starts(world).length > 0).toBe(isStarted);

      await world.close();
    },
  );

  test("is looked for again and again, also after its provider failed, and not where it should be stopped", async () => {
    const { world, clock, id } = await deployed("always");
    world.provider.script.status = fail("provider.unavailable", "it is disabled");
    ends(world, id, 1);
    await clock.advance(LIMITS.unattendedLookMs);
    await until(() => world.provider.calls.length === 1);
    world.provider.script.status = undefined;
    await until(async () => {
      await clock.advance(LIMITS.unattendedLookMs);
      return starts(world).length === 1;
    });
    await world.services.stop("web");
    world.provider.calls.length = 0;
    await clock.advance(3 * LIMITS.unattendedLookMs);
    expect(world.provider.calls).toEqual([]);
    await world.close();
  });

  test("on a provider that starts it by itself is left to it", async () => {
    const { world, clock, id } = await deployed("always");
    Object.assign(world.provider, { unattended: undefined });
    ends(world, id, 1);
    await clock.advance(3 * LIMITS.unattendedLookMs);
    expect(world.provider.calls).toEqual([]);
    await world.close();
  });
});
