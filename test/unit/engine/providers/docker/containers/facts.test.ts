/** The allow-list of what is shown of a container, tried on a whole document of a real engine. */
import { describe, expect, test } from "bun:test";
import type { ContainerInspectInfo } from "dockerode";
import { detailsOf, factsOf } from "../../../../../../src/engine/providers/docker/containers/facts.ts";
import inspected from "../../../../../fixtures/docker-inspect.json";

const OWNER = "test-owner";
const details = (document: unknown) => detailsOf(document as ContainerInspectInfo, OWNER);

/** Every text in the document, by its path, and every key of an object. */
function leaves(value: unknown, path: readonly string[] = []): (readonly string[])[] {
  if (typeof value === "string") return [path];
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([key, inner]) => leaves(inner, [...path, key]));
}

function replaced(path: readonly string[], text: string): unknown {
  const copy: unknown = structuredClone(inspected);
  let at = copy as Record<string, unknown>;
  for (const key of path.slice(0, -1)) at = at[key] as Record<string, unknown>;
  at[path.at(-1) ?? ""] = text;
  return copy;
}

describe("what is shown of a container", () => {
  test("is this, and nothing else", () => {
    expect(details(inspected)).toEqual({
      id: inspected.Id,
      name: "vx-web-3-1f2e3d4c",
      image: "voxeltron-test/busybox:1",
      origin: "service",
      service: "web",
      version: 3,
      state: "running",
      createdAt: new Date(inspected.Created).toISOString(),
      startedAt: new Date(inspected.State.StartedAt).toISOString(),
      outOfMemory: false,
      restarts: 0,
      restart: "on-failure",
      health: { status: "healthy", failures: 0 },
      program: "sh",
      networks: ["bridge"],
      mounts: [
        { type: "bind", target: "/data", readOnly: true },
        { type: "volume", name: "data-of-web", target: "/vol", readOnly: false },
      ],
      ports: [{ container: 80, protocol: "tcp", host: 18_080, address: "127.0.0.1" }],
      limits: { memoryBytes: 67_108_864, cpus: 0.5, processes: 100 },
      labels: {
        "org.opencontainers.image.source": "https://example.com/repo",
        "org.opencontainers.image.version": "1.2.3",
      },
    });
  });

  test("is taken from these places of the engine's document, and from no other", () => {
    const all = leaves(inspected);
    const shown = all.filter((path) => {
      const isMoment = /At$|^Created$|^Start$|^End$/.test(path.at(-1) ?? "");
      return !isMoment && JSON.stringify(details(replaced(path, "canary"))).includes("canary");
    });
    expect(all.length).toBeGreaterThan(100);
    expect(shown.map((path) => path.join("/"))).toEqual([
      "Id",
      "Path",
      "Name",
      "Mounts/0/Destination",
      "Mounts/1/Name",
      "Mounts/1/Destination",
      "Config/Image",
      "Config/Labels/org.opencontainers.image.source",
      "Config/Labels/org.opencontainers.image.version",
      "Config/Labels/voxeltron.service",
      "NetworkSettings/Ports/80/tcp/0/HostIp",
    ]);
  });

  test("has no key for what a document has more than this one", () => {
    const more = structuredClone(inspected) as unknown as Record<string, Record<string, unknown>>;
    for (const part of [more, more["State"], more["Config"], more["HostConfig"], more["NetworkSettings"]])
      Object.assign(part ?? {}, { Canary: "canary", canary: { canary: ["canary"] } });
    expect(JSON.stringify(details(more))).toBe(JSON.stringify(details(inspected)));
  });

  test("needs nothing that an engine may leave out", () => {
    const bare = structuredClone(inspected) as unknown as Record<string, Record<string, unknown>>;
    Object.assign(bare["Config"] ?? {}, { Labels: null });
    Object.assign(bare["NetworkSettings"] ?? {}, { Ports: null, Networks: null });
    Object.assign(bare, { Mounts: null });
    delete bare["State"]?.["Health"];
    const none = { origin: "other", labels: {}, ports: [], networks: [], mounts: [] };
    expect(details(bare)).toMatchObject(none);
    const row = {
      Id: "f",
      Names: null,
      Image: "x",
      Created: 0,
      Ports: null,
      Labels: null,
      State: "?",
      Status: "",
    };
    expect(factsOf(row as unknown as Parameters<typeof factsOf>[0], OWNER)).toMatchObject({
      name: "",
      origin: "other",
      state: "unknown",
      ports: [],
    });
  });

  test("in a list: one line of each, without the command", () => {
    const row = {
      Id: "f".repeat(64),
      Names: ["/other/alias", "/vx-web-3-1f2e3d4c"],
      Image: "nginx:1",
      ImageID: "sha256:canary",
      Command: "canary --token canary",
      Created: 1_767_225_600,
      Ports: [
        { IP: "127.0.0.1", PrivatePort: 80, PublicPort: 8080, Type: "tcp" },
        ...Array.from({ length: 10 }, (_, index) => ({ IP: "", PrivatePort: index + 1, Type: "udp" })),
      ],
      Labels: {
        "voxeltron.owner": OWNER,
        "voxeltron.service": "web",
        "voxeltron.version": "3",
        "voxeltron.instance": "vx-web-3-1f2e3d4c",
        "voxeltron.image": "canary",
        canary: "canary",
      },
      State: "running",
      Status: "Up 3 minutes\u001B[31m",
      HostConfig: { NetworkMode: "canary" },
      NetworkSettings: { Networks: { canary: {} } },
      Mounts: [{ Source: "canary", Destination: "canary" }],
    } as unknown as Parameters<typeof factsOf>[0];
    const facts = factsOf(row, OWNER);
    expect(facts).toMatchObject({
      name: "vx-web-3-1f2e3d4c",
      image: "nginx:1",
      origin: "service",
      service: "web",
      version: 3,
      status: "Up 3 minutes[31m",
      createdAt: "2026-01-01T00:00:00.000Z",
    });
    expect(facts.ports).toHaveLength(5);
    expect(JSON.stringify(facts)).not.toContain("canary");
  });
});
