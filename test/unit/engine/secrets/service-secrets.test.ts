import { describe, expect, test } from "bun:test";
import { join } from "node:path";
import { LIMITS } from "../../../../src/base/limits.ts";
import { makeRedaction } from "../../../../src/engine/secrets/redaction.ts";
import { makeSecretReader } from "../../../../src/engine/secrets/secret-reader.ts";
import { makeServiceSecrets, openSecret } from "../../../../src/engine/secrets/service-secrets.ts";
import { makeServiceEnvironment } from "../../../../src/engine/services/service-environment.ts";
import { codeOf } from "../../../fixtures/rejection.ts";
import { fileBox } from "../../../fixtures/secret-box.ts";
import { fakeClock, tempDir, until } from "../../../harness.ts";
import { makeWorld } from "../service-world.ts";

type World = ReturnType<typeof makeWorld>;

async function withSecrets(work: (parts: ReturnType<typeof setUp>) => void | Promise<void>): Promise<void> {
  await using dir = tempDir();
  const parts = setUp(dir.path);
  try {
    await work(parts);
  } finally {
    await parts.world.close();
  }
}

function setUp(dir: string) {
  const plain = makeWorld();
  const { state } = plain.deps;
  const box = fileBox(join(dir, "key"), () => state.secrets.list().length > 0);
  const redaction = makeRedaction(state.secrets, (row) => openSecret(box, row));
  const world: World = makeWorld({
    db: plain.db,
    cluster: plain.provider.cluster,
    deps: { state, redaction },
  });
  return {
    world,
    state,
    box,
    redaction,
    secrets: makeServiceSecrets({ state, box, redaction, clock: fakeClock() }),
    env: makeServiceEnvironment(state),
    reader: makeSecretReader(state, box),
  };
}

const coded = (code: string) => expect.objectContaining({ code });

describe("the secrets of a service", () => {
  test("can be set before it exists, are listed without values, and open for its start", () =>
    withSecrets(({ secrets, state }) => {
      expect(secrets.set("web", "PASSWORD", "hunter22")).toEqual({ isDeployed: false, isRedacted: true });
      expect(secrets.set("web", "PIN", "123")).toEqual({ isDeployed: false, isRedacted: false });
      expect(secrets.set("api", "TOKEN", "ü\nline")).toMatchObject({ isRedacted: true });
      expect(secrets.list()).toEqual([
        { service: "api", name: "TOKEN", updatedAt: "2026-01-01T00:00:00.000Z" },
        { service: "web", name: "PASSWORD", updatedAt: "2026-01-01T00:00:00.000Z" },
        { service: "web", name: "PIN", updatedAt: "2026-01-01T00:00:00.000Z" },
      ]);
      expect(secrets.list("web").map(({ name }) => name)).toEqual(["PASSWORD", "PIN"]);
      expect(secrets.values("web")).toEqual({ PASSWORD: "hunter22", PIN: "123" });
      expect(secrets.values("other")).toEqual({});
      expect(() => secrets.list("other")).toThrow(coded("service.not_found"));
      expect(JSON.stringify(state.secrets.list())).not.toContain("hunter22");
    }));

  test("are taken away all or none", () =>
    withSecrets(({ secrets }) => {
      secrets.set("web", "A", "first-value");
      secrets.set("web", "B", "second-value");
      expect(() => secrets.unset("web", ["A", "C"])).toThrow(coded("secret.not_found"));
      expect(Object.keys(secrets.values("web"))).toEqual(["A", "B"]);
      secrets.unset("web", ["A", "B"]);
      expect(secrets.values("web")).toEqual({});
    }));

  test("can't be moved in the database to another service or name", () =>
    withSecrets(({ secrets, state }) => {
      secrets.set("web", "A", "first-value");
      const row = state.secrets.find("web", "A")!;
      state.secrets.put({ ...row, service: "evil" });
      expect(() => secrets.values("evil")).toThrow(coded("secret.unreadable"));
      expect(secrets.values("web")).toEqual({ A: "first-value" });
    }));

  test.each([
    ["an empty value", "web", "A", "", "secret.invalid"],
    ["a NUL", "web", "A", "a\0b", "secret.invalid"],
    ["too much", "web", "A", "x".repeat(LIMITS.envValueBytes + 1), "secret.invalid"],
    ["a name that is none", "web", "1A", "value", "service.invalid"],
    ["a service that is none", "We b", "A", "value", "service.invalid"],
  ])("refuse %s, without repeating the value", (_, service, name, value, code) =>
    withSecrets(({ secrets }) => {
      expect(() => secrets.set(service, name, value)).toThrow(
        expect.objectContaining({ code, message: expect.not.stringContaining("xxxx") }),
      );
      expect(secrets.list()).toEqual([]);
    }),
  );

  test("are bounded in number", () =>
    withSecrets(({ secrets }) => {
      for (let i = 0; i < LIMITS.secretsPerService; i++) secrets.set("web", `S${i}`, `value-${i}`);
      expect(() => secrets.set("web", "MORE", "value")).toThrow(coded("secret.invalid"));
      secrets.set("web", "S0", "another");
      secrets.set("api", "MORE", "value");
    }));

  test("go with the service", () =>
    withSecrets(async ({ secrets, world }) => {
      secrets.set("web", "A", "first-value");
      await world.deploy({ image: "app:1", port: 3000 });
      await world.services.remove("web");
      expect(secrets.list()).toEqual([]);
    }));
});

describe("a name", () => {
  test("is a secret or a plain variable, never both, and the error says what to do", () =>
    withSecrets(async ({ secrets, env, world, state }) => {
      await world.deploy({ image: "app:1", port: 3000, env: { PLAIN: "1" } });
      secrets.set("web", "HIDDEN", "hunter22");
      expect(() => secrets.set("web", "PLAIN", "hunter22")).toThrow(
        expect.objectContaining({
          code: "secret.name_taken",
          hint: "take it away first, with: voxeltron env unset web PLAIN",
        }),
      );
      const hint = expect.stringContaining("voxeltron secret unset web HIDDEN");
      expect(() => env.set("web", { OK: "1", HIDDEN: "2" })).toThrow(
        expect.objectContaining({ code: "secret.name_taken", hint }),
      );
      expect(state.env.all("web")).toEqual({ PLAIN: "1" });
      expect(await codeOf(world.deploy({ env: { HIDDEN: "2" } }))).toBe("secret.name_taken");
      expect(world.events("on_deploy_start")).toHaveLength(1);
    }));

  test("that became a secret during a deploy which sets it in plain fails the deploy", () =>
    withSecrets(async ({ secrets, world, state }) => {
      world.provider.onCall = (method) => {
        if (method === "start") secrets.set("web", "LATE", "hunter22");
      };
      expect(await codeOf(world.deploy({ image: "app:1", port: 3000, env: { LATE: "1" } }))).toBe(
        "secret.name_taken",
      );
      expect(state.env.all("web")).toEqual({});
      expect(world.provider.cluster.size).toBe(0);
    }));
});

describe("what is written down of a deploy", () => {
  test("holds no secret, though the program and the engine repeat it", () =>
    withSecrets(async ({ secrets, world }) => {
      secrets.set("web", "A", "hunter22");
      world.provider.lines = ["my password is hunter22", `${"x".repeat(494)}hunter22`];
      world.provider.becomes = () => ({ state: "exited", exitCode: 1, detail: "bad argument hunter22" });
      const error = (await world
        .deploy({ image: "app:1", port: 3000 })
        .catch((thrown: unknown) => thrown)) as {
        details: { logs: string[] };
      };
      expect(error.details.logs[0]).toBe("my password is [redacted]");
      expect(error.details.logs[1]).not.toContain("hunte");
      const [failed] = world.events("on_deploy_fail");
      expect(failed?.data["error"]).toBe(
        "web ended with code 1 before it was healthy: bad argument [redacted]",
      );
      const { deploys } = await world.services.info("web");
      expect(deploys[0]?.error).toBe(failed?.data["error"] as string);
    }));

  test("would hold it without redaction", async () => {
    const world = makeWorld();
    world.provider.lines = ["my password is hunter22"];
    world.provider.becomes = () => ({ state: "exited", exitCode: 1, detail: "bad argument hunter22" });
    const error = await world.deploy({ image: "app:1", port: 3000 }).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ details: { logs: ["my password is hunter22"] } });
    expect(world.events("on_deploy_fail")[0]?.data["error"]).toContain("hunter22");
    await world.close();
  });

  test("holds no secret of the versions' specs either, and the operator's view of logs neither", () =>
    withSecrets(async ({ secrets, world, state }) => {
      secrets.set("web", "A", "hunter22");
      world.provider.lines = ["hunter22 of web"];
      await world.deploy({ image: "app:1", port: 3000, env: { B: "plain-value" } });
      const rows = JSON.stringify([state.versions.list("web"), state.deploys.list("web", 9)]);
      expect(rows).toContain("plain-value");
      expect(rows).not.toContain("hunter22");
      expect(rows).not.toContain('"A"');
      const options = { follow: false, signal: new AbortController().signal };
      const lines = await until(async () => {
        const found = await Array.fromAsync(world.services.logs("web", options));
        return found.length > 0 ? found : undefined;
      });
      expect(lines.map(({ text }) => text)).toEqual(["[redacted] of web"]);
    }));
});

describe("redaction", () => {
  test("knows one service's secrets or all, as they are now, and those that were replaced or taken away", () =>
    withSecrets(({ secrets, redaction }) => {
      const [web, api] = [redaction.of("web"), redaction.of("api")];
      secrets.set("web", "A", "hunter22");
      secrets.set("api", "A", "swordfish");
      const text = "hunter22 swordfish";
      expect(redaction.all(text)).toBe("[redacted] [redacted]");
      secrets.set("web", "LONG", "0123456789abcdef");
      expect(redaction.forOperators("x 0123456789…")).toBe("x [redacted]…");
      // What plugins see too must not tell them that a beginning was right.
      expect(redaction.all("x 0123456789…")).toBe("x 0123456789…");
      expect(redaction.of("web")("x 0123456789…")).toBe("x 0123456789…");
      expect(web(text)).toBe("[redacted] swordfish");
      expect(api(text)).toBe("hunter22 [redacted]");
      secrets.set("web", "A", "correct-horse");
      expect(web("hunter22 correct-horse")).toBe("[redacted] [redacted]");
      secrets.unset("web", ["A"]);
      expect(web("hunter22 correct-horse")).toBe("[redacted] [redacted]");
      expect(redaction.of("other")(text)).toBe(text);
    }));

  test("does not fail where a secret can't be opened", () =>
    withSecrets(({ secrets, state, redaction }) => {
      secrets.set("web", "A", "hunter22");
      const row = state.secrets.find("web", "A")!;
      state.secrets.put({ ...row, name: "B" });
      expect(redaction.all("hunter22")).toBe("[redacted]");
      state.secrets.remove("web", "A");
      expect(redaction.all("hunter22")).toBe("hunter22");
    }));
});

describe("what a plugin may be given", () => {
  test("are the variables that the next instance starts with, secret or plain", () =>
    withSecrets(async ({ secrets, world, reader }) => {
      secrets.set("web", "SECRET", "hunter22");
      expect(reader.names("web")).toEqual(["SECRET"]);
      await world.deploy({ image: "app:1", port: 3000, env: { PLAIN: "1" } });
      expect(reader.names("web")).toEqual(["PLAIN", "SECRET"]);
      expect(reader.get("web", "SECRET")).toBe("hunter22");
      expect(reader.get("web", "PLAIN")).toBe("1");
      for (const name of ["NOPE", "constructor", "__proto__"])
        expect(() => reader.get("web", name)).toThrow(coded("secret.not_found"));
      expect(() => reader.names("other")).toThrow(coded("service.not_found"));
    }));
});
