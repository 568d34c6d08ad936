/**
 * The plugins that want out of the Worker room, in the room for processes. There no wall stands in the language: what they get hold of
 * is worth nothing, as the process has no power. So their errors are others, and nothing may have happened all the same.
 */
import { afterAll, describe, expect, test } from "bun:test";
import { isVoxError } from "../../src/base/errors.ts";
import { bundlePlugin } from "../bundler.ts";
import { EXECUTABLE } from "../e2e/machine.ts";
import { needs } from "../harness.ts";
import { processRooms } from "../process-room.ts";
import type { Attack } from "./attacks/attack.ts";
import { BRIDGE } from "./attacks/bridge.ts";
import { HOST_POWERS } from "./attacks/host-powers.ts";
import { LANGUAGE } from "./attacks/language.ts";
import { setCanaries } from "./canaries.ts";
import { ungrantedDoor } from "./ungranted-door.ts";

const ATTACKS: readonly Attack[] = [...HOST_POWERS, ...LANGUAGE, ...BRIDGE];

/** What ends otherwise than in the Worker's guest, and why that is no harm. */
const OTHERWISE: Readonly<Record<string, { readonly code: string; readonly reason: string }>> = {
  "read the source of the daemon by import.meta.url": { code: "ok", reason: "file:/// is no place" },
  "read the environment with import.meta.env": { code: "ok", reason: "it is empty" },
  "call libc with bun:ffi": { code: "ok", reason: "its own number; what libc can do is in native.test.ts" },
  "overflow the stack inside a host call": {
    code: "plugin.failed",
    reason: "it asks for an error of QuickJS's",
  },
};

const canaries = setCanaries();
process.env[canaries.secretEnv] = canaries.secret;
afterAll(async () => {
  delete process.env[canaries.secretEnv];
  await canaries.close();
});

describe.skipIf(!needs("compiled") || !needs("confinement"))("in the room for processes", () => {
  test.each(ATTACKS.map((attack) => [attack.name, attack] as const))("%s", async (name, attack) => {
    canaries.reset();
    const { door, performed } = ungrantedDoor();
    const ending = await attempt(attack, door);
    expect(ending.code, ending.text).toBe(OTHERWISE[name]?.code ?? attack.expect.code);
    expect(canaries.disturbed(JSON.stringify([ending, door.calls, door.lines]))).toEqual([]);
    expect([...performed].every((method) => method.startsWith("kv."))).toBe(true);
  });
});

// --- internal ---

async function attempt(
  attack: Attack,
  door: ReturnType<typeof ungrantedDoor>["door"],
): Promise<{ readonly code: string; readonly text: string }> {
  const encoder = new TextEncoder();
  const files = new Map([...canaries.arm(attack)].map(([path, text]) => [path, encoder.encode(text)]));
  await using rooms = processRooms(EXECUTABLE);
  try {
    const { code, sourceMap } = await bundlePlugin(files, files.has("index.ts") ? "index.ts" : "index.js");
    const room = await rooms.open(code, door, { sourceMap, entryMs: attack.deadlineMs ?? 1000 });
    const answer = await room.call("on_deploy_success", {}, { deadlineMs: attack.deadlineMs ?? 2000 });
    return { code: "ok", text: JSON.stringify(answer) ?? "" };
  } catch (error) {
    if (!isVoxError(error)) throw error;
    return { code: error.code, text: error.message };
  }
}
