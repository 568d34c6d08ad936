/** What services must leave alone: the instances and the ports of workspaces. */
import { expect, test } from "bun:test";
import { workspaceFacts } from "../../../../src/engine/workspaces/facts.ts";
import { encodeSpec } from "../../../../src/engine/workspaces/workspace-spec.ts";
import { makeWorkspaceRows } from "../../../../src/state/workspaces.ts";
import { parseWorkspaceInput } from "../../../../src/engine/workspaces/workspace-input.ts";
import { openDatabase } from "../../../../src/state/database.ts";
import { instanceSpec } from "../../../fixtures/instance-spec.ts";
import { makeWorld } from "../service-world.ts";

test("a sweep of instances without a service passes over workspaces, and over nothing else", async () => {
  const world = makeWorld({
    deps: { workspaces: { hasInstance: (instance) => instance === "vx-ws-shop-1", ports: () => [] } },
  });
  await world.deploy({ image: "nginx:1" });
  for (const id of ["vx-ws-shop-1", "vx-web-9-2"])
    world.provider.cluster.set(id, {
      spec: instanceSpec({ id, owner: "owner" }),
      status: { state: "running" },
    });
  world.deploys.recover();
  await world.deploys.idle();
  const left = [...world.provider.cluster.keys()];
  expect(left).toContain("vx-ws-shop-1");
  expect(left).not.toContain("vx-web-9-2");
  await world.close();
});

test("a service never gets the port that a workspace wants, running or not", async () => {
  const all = Array.from({ length: 12_000 }, (_, index) => 20_000 + index);
  const world = makeWorld({
    deps: {
      workspaces: { hasInstance: () => false, ports: () => all.filter((port) => port % 100 !== 7) },
    },
  });
  const { address } = await world.deploy({ image: "nginx:1", port: 80 });
  expect(address).toMatch(/07$/);
  await world.close();
});

test("what is theirs is read from their rows, each machine's ports by themselves", () => {
  const rows = makeWorkspaceRows(openDatabase(":memory:"));
  for (const [name, server, port] of [
    ["shop", "local", 8080],
    ["far", "build-2", 9090],
  ] as const)
    rows.insert({
      name,
      server,
      provider: "docker",
      spec: encodeSpec(parseWorkspaceInput({ name, ports: { app: port } }).spec),
      image: null,
      instance: `vx-ws-${name}-1`,
      desired: "stopped",
      phase: null,
      next: null,
      made: true,
      error: null,
      createdAt: "2026-01-01T00:00:00.000Z",
    });
  const facts = workspaceFacts(rows);
  expect([facts.hasInstance("vx-ws-far-1"), facts.hasInstance("shop")]).toEqual([true, false]);
  expect([facts.ports("local"), facts.ports("build-2"), facts.ports("none")]).toEqual([[8080], [9090], []]);
});
