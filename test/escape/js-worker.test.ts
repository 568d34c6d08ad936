/**
 * Plugins that want out of the Worker room. Each attack must end as it should, and nothing may have happened: no file written, no
 * server asked, no secret read, no call made that needs a grant. The control shows that the attack works where nothing stops it.
 */
import { afterAll, describe, expect, test } from "bun:test";
import { isVoxError } from "../../src/base/errors.ts";
import { bundlePlugin } from "../bundler.ts";
import { until } from "../harness.ts";
import { openRoom, type RecordedDoor } from "../js-room.ts";
import { ATTACKS } from "./attacks/all.ts";
import type { Attack } from "./attacks/attack.ts";
import { setCanaries } from "./canaries.ts";
import { runUnprotected } from "./plain-worker.ts";
import { ungrantedDoor } from "./ungranted-door.ts";

const canaries = setCanaries();
process.env[canaries.secretEnv] = canaries.secret;
afterAll(async () => {
  delete process.env[canaries.secretEnv];
  await canaries.close();
});

/** How an attack ended. */
interface Ending {
  readonly code: string;
  readonly message: string;
  readonly answer: unknown;
  readonly details: unknown;
}

/** Bundles, loads and calls the plugin in a room of this process, as the daemon does. */
async function runInRoom(attack: Attack, door: RecordedDoor): Promise<Ending> {
  const files = new Map(
    [...canaries.arm(attack)].map(([path, text]) => [path, new TextEncoder().encode(text)]),
  );
  try {
    const { code, sourceMap } = await bundlePlugin(files, files.has("index.ts") ? "index.ts" : "index.js");
    await using opened = await openRoom(code, door, { sourceMap, entryMs: attack.deadlineMs ?? 1000 });
    const deadlineMs = attack.deadlineMs ?? 2000;
    const answer = await opened.room.call("on_deploy_success", {}, { deadlineMs });
    return { code: "ok", message: "", answer, details: {} };
  } catch (error) {
    if (!isVoxError(error)) throw error;
    return { code: error.code, message: error.message, answer: undefined, details: error.details };
  }
}

test("there are enough attacks, and no two have one name", () => {
  expect(ATTACKS.length).toBeGreaterThanOrEqual(60);
  expect(new Set(ATTACKS.map(({ name }) => name)).size).toBe(ATTACKS.length);
});

describe("in the room", () => {
  test.each(ATTACKS.map((attack) => [attack.name, attack] as const))("%s", async (_name, attack) => {
    canaries.reset();
    const { door, performed } = ungrantedDoor();
    const ending = await runInRoom(attack, door);
    expect({ code: ending.code, message: ending.message }).toEqual({
      code: attack.expect.code,
      message: expect.stringContaining(attack.expect.words ?? "") as string,
    });
    if (attack.expect.answer !== undefined) expect(ending.answer).toEqual(attack.expect.answer);
    expect(canaries.disturbed(JSON.stringify([ending, door.calls, door.lines]))).toEqual([]);
    expect([...performed].toSorted()).toEqual([...(attack.expect.calls ?? [])].toSorted());
    expect(({} as Record<string, unknown>)["polluted"]).toBeUndefined();
    expect(JSON.stringify(ending.message)).not.toMatch(/\\u00|\\u202/);
  });
});

describe("with nothing around it, the same attack gets out", () => {
  test.each(ATTACKS.filter(({ control }) => control).map((attack) => [attack.name, attack] as const))(
    "%s",
    async (_name, attack) => {
      canaries.reset();
      const answer = await runUnprotected(canaries.arm(attack), canaries);
      // The server may hear of a connection after the attack has ended.
      await until(() => canaries.disturbed(answer).length > 0, { what: "the attack to get out" });
    },
  );
});
