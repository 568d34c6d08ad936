/** Going back to a version that is kept: what comes back, what stays, and what is refused. */
import { afterEach, describe, expect, test } from "bun:test";
import { isVoxError } from "../../../../src/base/errors.ts";
import { LIMITS } from "../../../../src/base/limits.ts";
import { decodeSpec } from "../../../../src/engine/deploys/service-spec.ts";
import { makeWorld, type World } from "../service-world.ts";

const worlds: World[] = [];
afterEach(async () => {
  await Promise.all(worlds.splice(0).map((world) => world.close()));
});

function world(): World {
  const made = makeWorld();
  worlds.push(made);
  return made;
}

/** With a port: without one each deploy would wait for a while to see whether it stays up. */
function deploy(it: World, image: string, env: Readonly<Record<string, string>> = {}, port = 80) {
  return it.deploy({ image, env, port });
}

function rollback({ deploys }: World, to?: number) {
  const options = { progress() {}, signal: new AbortController().signal };
  return deploys.rollback({ service: "web", to }, options);
}

async function problem(work: Promise<unknown>): Promise<{ readonly code: string; readonly hint: unknown }> {
  const error = await work.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (!isVoxError(error)) throw new Error("expected an error of ours");
  return { code: error.code, hint: error.hint };
}

const running = ({ provider }: World) =>
  [...provider.cluster.values()].filter(({ status }) => status.state === "running").map(({ spec }) => spec);

describe("a rollback", () => {
  test("is a new version that is exactly what the one before was: image to the digest, settings, variables", async () => {
    const it = world();
    await deploy(it, "app:1", { COLOR: "red", OLD: "1" });
    await deploy(it, "app:2", { COLOR: "blue", NEW: "1" }, 81);
    it.deps.state.env.unset("web", ["OLD"]);

    const end = await rollback(it);
    await it.deploys.idle();

    expect([end.version, end.image]).toEqual([3, "app:1"]);
    const [only, ...others] = running(it);
    expect(others).toEqual([]);
    expect(only).toMatchObject({ version: 3, image: "app:1@sha256:abc", port: 80 });
    expect(only?.env).toEqual({ COLOR: "red", OLD: "1" });
    expect(it.deps.state.env.all("web")).toEqual({ COLOR: "red", OLD: "1" });
    expect(it.events().map(({ hook, data }) => `${hook} ${String(data["version"])}`)).toEqual([
      "on_deploy_start 1",
      "on_deploy_success 1",
      "on_deploy_start 2",
      "on_deploy_success 2",
      "on_deploy_start 3",
      "on_deploy_success 3",
    ]);
  });

  test("asks for the digest that ran then, whatever its tag names today", async () => {
    const it = world();
    await deploy(it, "app:latest");
    await deploy(it, "app:latest");
    it.provider.prepare = async (spec) => `${spec.image} as asked for`;
    await rollback(it, 1);
    expect(running(it)[0]?.image).toBe("app:latest@sha256:abc as asked for");
  });

  test("twice goes back by two: a version that came from a rollback counts like others", async () => {
    const it = world();
    for (const image of ["app:1", "app:2", "app:3"]) await deploy(it, image);
    await rollback(it, 1);
    expect((await rollback(it)).image).toBe("app:3");
    expect((await it.services.info("web")).versions.map(({ version, isLive }) => [version, isLive])).toEqual([
      [5, true],
      [4, false],
      [3, false],
      [2, false],
      [1, false],
    ]);
  });

  test("leaves a variable that has become a secret since what it is now", async () => {
    const it = world();
    await deploy(it, "app:1", { TOKEN: "in plain", COLOR: "red" });
    it.deps.state.env.unset("web", ["TOKEN"]);
    await deploy(it, "app:2");
    it.deps.state.secrets.put({
      service: "web",
      name: "TOKEN",
      value: new Uint8Array([1]),
      updatedAt: "2026-01-01",
    });
    await rollback(it);
    expect(it.deps.state.env.all("web")).toEqual({ COLOR: "red" });
    const live = it.deps.state.versions.list("web")[0];
    expect(decodeSpec(live?.spec ?? "").env).toEqual({ COLOR: "red" });
  });

  test("whose old version does not come up leaves the one that runs, and its variables", async () => {
    const it = world();
    await deploy(it, "app:1", { COLOR: "red" });
    await deploy(it, "app:2", { COLOR: "blue" });
    it.provider.becomes = () => ({ state: "exited", exitCode: 1 });
    expect((await problem(rollback(it))).code).toBe("deploy.exited");
    await it.deploys.idle();
    expect(running(it).map(({ image }) => image)).toEqual(["app:2@sha256:abc"]);
    expect(it.deps.state.env.all("web")).toEqual({ COLOR: "blue" });
    expect(it.events("on_deploy_fail")[0]?.data).toMatchObject({ version: 3, rolledBack: true });
  });

  test("to what is not there says which versions are kept, and begins nothing", async () => {
    const it = world();
    expect((await problem(rollback(it))).code).toBe("service.not_found");
    await deploy(it, "app:1");
    expect(await problem(rollback(it))).toEqual({
      code: "version.not_found",
      hint: "no other version is kept",
    });
    await deploy(it, "app:2");
    const kept = { code: "version.not_found", hint: "versions that are kept: 1" };
    expect(await problem(rollback(it, 2))).toEqual(kept);
    expect(await problem(rollback(it, 9))).toEqual(kept);
    expect(it.events("on_deploy_start")).toHaveLength(2);
  });

  test("reaches as far as versions are kept", async () => {
    const it = world();
    for (let each = 0; each <= LIMITS.versionsKept; each++) await deploy(it, `app:${each + 1}`);
    expect((await problem(rollback(it, 1))).code).toBe("version.not_found");
    expect((await rollback(it, 2)).image).toBe("app:2");
  });
});
