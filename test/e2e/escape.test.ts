/**
 * The attacks of test/escape against the compiled executable: each is installed into a real daemon and called. It must end as it
 * should, and nothing may have happened. The controls, which show that the attacks work, are in test/escape.
 */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { makeClient, type Client } from "../../src/api/client.ts";
import { listFolder } from "../../src/api/folder.ts";
import { tarFolder } from "../../src/platform/folder/tar-folder.ts";
import { isVoxError } from "../../src/base/errors.ts";
import { ATTACKS } from "../escape/attacks/all.ts";
import type { Attack } from "../escape/attacks/attack.ts";
import { setCanaries } from "../escape/canaries.ts";
import { needs } from "../harness.ts";
import { makeMachine } from "./machine.ts";

interface Ending {
  readonly code: string;
  readonly message: string;
  readonly answer?: unknown;
}

/** Where the daemon's broker answers other than the room's own tests do, or a check stands before the room. */
const OTHERWISE: Readonly<Record<string, Attack["expect"]>> = {
  "hide escape codes in file names": { code: "upload.invalid" },
  "give a method arguments by odd names": { code: "plugin.failed", words: "wanted a text" },
  "read a ticket of bytes that is not its own": { code: "ok", answer: null },
};

describe.skipIf(!needs("compiled"))("in the compiled daemon", () => {
  const canaries = setCanaries();
  const machine = makeMachine();
  let client: Client;

  beforeAll(async () => {
    await machine.start({ [canaries.secretEnv]: canaries.secret });
    client = makeClient(machine.socket);
  });

  afterAll(async () => {
    await machine[Symbol.asyncDispose]();
    await canaries.close();
  });

  async function attempt(attack: Attack, name: string): Promise<Ending> {
    const seconds = (attack.deadlineMs ?? 2000) / 1000;
    const manifest = `[plugin]\nname = "${name}"\nversion = "1.0.0"\ntier = 2\n[hooks]\non_deploy_success = true\n[runtime]\ntimeout = ${seconds}\n`;
    const folder = machine.write(name, {
      ...Object.fromEntries(canaries.arm(attack)),
      "plugin.toml": manifest,
    });
    try {
      const { upload } = await client.upload("plugin", tarFolder(listFolder(folder, "plugin")));
      const source = { upload };
      const { digest } = await client.call("plugin.inspect", { source });
      await client.call("plugin.install", { source, digest, grants: [] });
      const { result } = await client.call("plugin.call", { name, hook: "on_deploy_success" });
      return { code: "ok", message: "", answer: result };
    } catch (error) {
      if (!isVoxError(error)) throw error;
      return { code: error.code, message: error.message };
    }
  }

  test.each(ATTACKS.map((attack, index) => [attack.name, attack, `attack-${index}`] as const))(
    "%s",
    async (title, attack, name) => {
      canaries.reset();
      const ending = await attempt(attack, name);
      const { code, words, answer } = OTHERWISE[title] ?? attack.expect;
      expect({ code: ending.code, message: ending.message }).toEqual({
        code,
        message: expect.stringContaining(words ?? "") as string,
      });
      if (answer !== undefined) expect(ending.answer).toEqual(answer);
      const { stdout } = await machine.cli("plugin", "logs", name);
      expect(canaries.disturbed(JSON.stringify(ending) + stdout)).toEqual([]);
    },
  );

  test("after all of them the daemon is the same process, and answers", async () => {
    const info = await client.call("daemon.info", {});
    expect(info.pid).toBe(machine.pid());
    expect(machine.log()).not.toContain("a bug");
  });
});
