/** An engine that accepts and never answers: the daemon stays its own master. */
import { describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { needs, until } from "../harness.ts";
import { makeMachine } from "./machine.ts";

describe.skipIf(!needs("compiled"))("a hung engine", () => {
  test("does not keep the daemon from answering, nor from ending when it is asked to", async () => {
    const folder = mkdtempSync(join(tmpdir(), "voxeltron-engine-"));
    const socket = join(folder, "engine.sock");
    let asked = false;
    const hear = (): void => void (asked = true);
    const engine = Bun.listen({ unix: socket, socket: { data: hear } });
    try {
      await using machine = makeMachine(`[docker]\nsocket = ${JSON.stringify(socket)}\n`);
      await machine.start();
      const deploying = machine.cli("deploy", "web", "--image", "some:1", "--json");
      await until(() => asked, { what: "the daemon to ask the engine" });
      expect(await machine.json<unknown[]>("status")).toMatchObject([{ name: "web", state: "deploying" }]);
      const began = performance.now();
      expect(await machine.end("SIGTERM")).toBe(0);
      expect(performance.now() - began).toBeLessThan(5_000);
      expect((await deploying).stderr).toContain("deploy.interrupted");
    } finally {
      engine.stop(true);
      rmSync(folder, { recursive: true, force: true });
    }
  }, 20_000);
});
