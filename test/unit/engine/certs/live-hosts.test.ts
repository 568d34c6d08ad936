import { describe, expect, test } from "bun:test";
import { liveHosts } from "../../../../src/engine/certs/live-hosts.ts";
import { makeWorld } from "../service-world.ts";

describe("the hosts of live services", () => {
  test("are those of what is live, each once, and leave with it", async () => {
    const world = makeWorld();
    const { state } = world.deps;
    await world.deploy({
      service: "web",
      image: "web:1",
      port: 80,
      domains: ["web.example.com", "www.example.com"],
    });
    await world.deploy({ service: "api", image: "api:1", port: 80, domains: ["api.example.com"] });
    expect(liveHosts(state)).toEqual([
      { domain: "api.example.com", service: "api" },
      { domain: "web.example.com", service: "web" },
      { domain: "www.example.com", service: "web" },
    ]);
    await world.deploy({ service: "web", image: "web:2", domains: ["web.example.com"] });
    expect(liveHosts(state).map(({ domain }) => domain)).toEqual(["api.example.com", "web.example.com"]);
    await world.services.remove("web");
    expect(liveHosts(state).map(({ domain }) => domain)).toEqual(["api.example.com"]);
    await world.close();
  });
});
