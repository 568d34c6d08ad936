import { expect, test } from "bun:test";
import { checkContainerSpec } from "../../../../../src/engine/providers/docker/check.ts";
import { containerOptions } from "../../../../../src/engine/providers/docker/container-spec.ts";
import { instanceSpec } from "../../../../fixtures/instance-spec.ts";

const web = instanceSpec({ id: "vx-web-3-1f2e3d4c", image: "nginx:1", version: 3 });

test("a container has the instance's name and our labels", () => {
  const options = containerOptions(web);
  expect(options.name).toBe("vx-web-3-1f2e3d4c");
  expect(options.Image).toBe("nginx:1");
  expect(options.Labels).toEqual({
    "voxeltron.owner": "test-owner",
    "voxeltron.service": "web",
    "voxeltron.version": "3",
    "voxeltron.instance": "vx-web-3-1f2e3d4c",
  });
});

test("secrets are variables like others, and stand in nothing else", () => {
  const options = containerOptions({ ...web, env: { A: "plain", B: "plain" } }, [], { A: "hunter22" });
  expect(options.Env).toEqual(["A=hunter22", "B=plain"]);
  expect(JSON.stringify({ ...options, Env: [] })).not.toContain("hunter22");
});

test("a port is published on the loopback address alone, and nothing is without one", () => {
  const options = containerOptions({ ...web, port: 80, hostPort: 40_001 });
  expect(options.ExposedPorts).toEqual({ "80/tcp": {} });
  expect(options.HostConfig?.PortBindings).toEqual({
    "80/tcp": [{ HostIp: "127.0.0.1", HostPort: "40001" }],
  });
  expect(containerOptions(web).HostConfig?.PortBindings).toBeUndefined();
  expect(containerOptions({ ...web, port: 80 }).HostConfig?.PortBindings).toBeUndefined();
});

test("a workspace's ports are all there, two to one inside too; it keeps its input open and has a label of its own", () => {
  const ports = [
    { key: "app", inside: 8080, outside: 8080 },
    { key: "3000", inside: 3000, outside: 9000 },
    { key: "8080", inside: 8080, outside: 9001 },
  ];
  const options = containerOptions({ ...web, service: undefined, workspace: "web", ports });
  expect(options.ExposedPorts).toEqual({ "8080/tcp": {}, "3000/tcp": {} });
  expect(options.HostConfig?.PortBindings).toEqual({
    "3000/tcp": [{ HostIp: "127.0.0.1", HostPort: "9000" }],
    "8080/tcp": [
      { HostIp: "127.0.0.1", HostPort: "8080" },
      { HostIp: "127.0.0.1", HostPort: "9001" },
    ],
  });
  expect([options.OpenStdin, containerOptions(web).OpenStdin]).toEqual([true, undefined]);
  // Empty, and not absent: an image may bring one.
  expect(options.Labels).toMatchObject({ "voxeltron.workspace": "web", "voxeltron.service": "" });
});

test("a container gets no privilege", () => {
  const host = containerOptions(web).HostConfig;
  expect(host?.Privileged).toBe(false);
  expect(host?.SecurityOpt).toEqual(["no-new-privileges"]);
  expect(Object.keys(host ?? {})).not.toContain("CapAdd");
  expect(Object.keys(host ?? {})).not.toContain("NetworkMode");
});

test.each([
  ["always", "unless-stopped"],
  ["on-failure", "on-failure"],
  ["no", "no"],
] as const)("restart policy %s is the engine's %s", (restart, name) => {
  expect(containerOptions({ ...web, restart }).HostConfig?.RestartPolicy).toEqual({ Name: name });
});

test("limits, environment and command are passed on", () => {
  const options = containerOptions({
    ...web,
    memoryBytes: 64 * 1024 * 1024,
    cpus: 1.5,
    env: { A: "1", B: "x=y" },
    command: ["serve", "--all"],
  });
  expect(options.HostConfig?.Memory).toBe(67_108_864);
  expect(options.HostConfig?.NanoCpus).toBe(1_500_000_000);
  expect(options.Env).toEqual(["A=1", "B=x=y"]);
  expect(options.Cmd).toEqual(["serve", "--all"]);
  expect(Object.keys(containerOptions(web))).not.toContain("Cmd");
});

test("a name is a volume, a path is a bind", () => {
  const mounts = containerOptions({
    ...web,
    volumes: [
      { source: "data", target: "/data", readOnly: false },
      { source: "/srv/x", target: "/x", readOnly: true },
    ],
  }).HostConfig?.Mounts;
  expect(mounts?.[0]).toMatchObject({ Type: "volume", Source: "data", Target: "/data", ReadOnly: false });
  expect(mounts?.[1]).toEqual({ Type: "bind", Source: "/srv/x", Target: "/x", ReadOnly: true });
});

test("an image that brings its own init keeps process 1", () => {
  expect(containerOptions(web, ["/docker-entrypoint.sh"]).HostConfig?.Init).toBe(true);
  expect(containerOptions(web, []).HostConfig?.Init).toBe(true);
  expect(containerOptions(web, ["/init"]).HostConfig?.Init).toBe(false);
  expect(containerOptions(web, ["/sbin/tini", "--"]).HostConfig?.Init).toBe(false);
});

test("the log of a container is bounded", () => {
  expect(containerOptions(web).HostConfig?.LogConfig).toEqual({
    Type: "json-file",
    Config: { "max-size": "16777216", "max-file": "2" },
  });
});

test("a folder is refused, and says which provider runs folders", () => {
  for (const spec of [instanceSpec({ directory: "/srv/app" }), instanceSpec()]) {
    expect(() => checkContainerSpec(spec)).toThrow(expect.objectContaining({ code: "provider.unsupported" }));
  }
  expect(() => checkContainerSpec(web)).not.toThrow();
});

test.each([
  ["../data", "/data"],
  ["./data", "/data"],
  ["-v", "/data"],
  ["data", "data"],
  ["data", "/"],
])("the volume %s:%s is refused", (source, target) => {
  const volumes = [{ source, target, readOnly: false }];
  expect(() => checkContainerSpec({ ...web, volumes })).toThrow(
    expect.objectContaining({ code: "service.invalid" }),
  );
});

test.each([
  "nginx",
  "nginx:1.27-alpine",
  "library/nginx",
  "ghcr.io/me/my-app_x/web:V1",
  "127.0.0.1:5000/a/b:1",
  "localhost/a__b",
  `me/app@sha256:${"a".repeat(64)}`,
  `me/app:1@sha256:${"a".repeat(64)}`,
  `sha256:${"a".repeat(64)}`,
])("%s is an image", (image) => {
  expect(() => checkContainerSpec({ ...web, image })).not.toThrow();
});

test.each([
  "",
  "Nginx",
  "a b",
  "../containers",
  "a/../b",
  "a?x=1",
  "a#b",
  "a\n",
  "-a",
  "a:",
  "a@sha256:1",
  "http://x/y",
  "a".repeat(600),
])("%j is no image", (image) => {
  expect(() => checkContainerSpec({ ...web, image })).toThrow(
    expect.objectContaining({ code: "service.invalid" }),
  );
});
