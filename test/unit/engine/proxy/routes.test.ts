/** Which service answers for which host and path, over a real state. */
import { afterEach, expect, test } from "bun:test";
import { makeRoutes } from "../../../../src/engine/proxy/routes.ts";
import { makeWorld, type World } from "../service-world.ts";

const worlds: World[] = [];
afterEach(async () => {
  for (const world of worlds.splice(0)) await world.close();
});

async function routesOf(services: Readonly<Record<string, readonly string[]>>) {
  const world = makeWorld();
  worlds.push(world);
  const routes = makeRoutes(world.deps.state);
  for (const [service, domains] of Object.entries(services)) {
    await world.deploy({ service, image: "x:1", port: 80, domains });
    routes.follow(service);
  }
  return { world, routes, serviceFor: (host: string, path = "/") => routes.find(host, path)?.service };
}

test("names are found in any case, with or without a port and a last dot", async () => {
  const { serviceFor } = await routesOf({ web: ["app.test", "www.test"] });
  for (const host of ["app.test", "APP.Test", "app.test:8080", "app.test.", "www.test"])
    expect(serviceFor(host)).toBe("web");
  for (const host of ["", "test", "xapp.test", "app.test.evil", "a.app.test", "app.testx"])
    expect(serviceFor(host)).toBeUndefined();
});

test("a star stands for one label, and an exact name goes before it", async () => {
  const { serviceFor } = await routesOf({ many: ["*.app.test"], one: ["one.app.test"] });
  expect(serviceFor("two.app.test")).toBe("many");
  expect(serviceFor("one.app.test")).toBe("one");
  expect(serviceFor("a.two.app.test")).toBeUndefined();
  expect(serviceFor("app.test")).toBeUndefined();
  expect(serviceFor("*.app.test")).toBe("many");
});

test("the longest path that fits wins, and ends between two slashes", async () => {
  const { serviceFor } = await routesOf({
    web: ["app.test"],
    api: ["app.test/api"],
    old: ["app.test/api/v1"],
  });
  expect(serviceFor("app.test", "/")).toBe("web");
  expect(serviceFor("app.test", "/apis")).toBe("web");
  expect(serviceFor("app.test", "/API")).toBe("web");
  expect(serviceFor("app.test", "/api")).toBe("api");
  expect(serviceFor("app.test", "/api/v10")).toBe("api");
  expect(serviceFor("app.test", "/api/v1/x")).toBe("old");
});

test("where an exact name has no path that fits, its star is asked", async () => {
  const { serviceFor } = await routesOf({ api: ["one.app.test/api"], rest: ["*.app.test"] });
  expect(serviceFor("one.app.test", "/api/x")).toBe("api");
  expect(serviceFor("one.app.test", "/")).toBe("rest");
});

test("a route leads to the live version, to nowhere while the service is stopped, and goes with it", async () => {
  const { world, routes } = await routesOf({ web: ["app.test"] });
  const first = routes.find("app.test", "/")?.upstream;
  expect(first?.host).toBe("127.0.0.1");
  await world.deploy({ service: "web", image: "x:2", domains: ["new.test"] });
  routes.follow("web");
  expect(routes.find("app.test", "/")).toBeUndefined();
  const second = routes.find("new.test", "/")?.upstream;
  expect(second?.port).not.toBe(first?.port);
  await world.services.stop("web");
  routes.follow("web");
  expect(routes.find("new.test", "/")).toMatchObject({ service: "web", upstream: undefined });
  await world.services.start("web", new AbortController().signal);
  routes.follow("web");
  expect(routes.find("new.test", "/")?.upstream).toEqual(second);
  await world.services.remove("web");
  routes.follow("web");
  expect(routes.find("new.test", "/")).toBeUndefined();
});
