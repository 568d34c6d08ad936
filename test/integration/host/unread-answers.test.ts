import { expect, test } from "bun:test";
import { hookCode, openRoom, recordedDoor } from "../../js-room.ts";

test("answers that a guest reads never add up; of those that it does not read, the daemon keeps only so many", async () => {
  const door = recordedDoor(() => "x".repeat(7_000_000));
  const code = hookCode(`
    for (let i = 0; i < 12; i++) await ctx.kv.get("k");
    let refused = 0;
    const calls = [];
    for (let i = 0; i < 20; i++)
      calls.push(ctx.kv.get("k").then(() => {}, (error) => { if (error.code === "capability.limit") refused++; }));
    const until = Date.now() + 1500;
    while (Date.now() < until);
    await Promise.all(calls);
    return refused > 0;`);
  await using opened = await openRoom(code, door);
  expect(await opened.room.call("on_deploy_success", {}, { deadlineMs: 20_000 })).toBe(true);
}, 30_000);
