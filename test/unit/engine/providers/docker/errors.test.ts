import { expect, test } from "bun:test";
import { fail } from "../../../../../src/base/errors.ts";
import { dockerError } from "../../../../../src/engine/providers/docker/errors.ts";

const endpoint = "/var/run/docker.sock";
const pulling = { what: "pull r.example:5000/app:1", image: "r.example:5000/app:1", endpoint };
const creating = { what: "create vx-1", image: "nginx:1", endpoint };
const starting = { what: "start vx-1", instance: "vx-1", endpoint };

const http = (statusCode: number, message: string) =>
  Object.assign(new Error(`(HTTP code ${statusCode}) server error - ${message} `), {
    statusCode,
    json: { message },
  });
const socket = (code: string) => Object.assign(new Error(`connect ${code} ${endpoint}`), { code });

const CASES = [
  ["no socket", socket("ENOENT"), starting, "provider.unavailable"],
  ["nobody listens", socket("ECONNREFUSED"), starting, "provider.unavailable"],
  ["no permission", socket("EACCES"), starting, "provider.unavailable"],
  ["the engine died", socket("ECONNRESET"), starting, "provider.unavailable"],
  [
    "a port of another process",
    http(
      500,
      "driver failed programming external connectivity on endpoint x (1): Error starting userland proxy: listen tcp4 127.0.0.1:8080: bind: address already in use",
    ),
    starting,
    "deploy.port_taken",
  ],
  [
    "a port of another container",
    http(
      500,
      "driver failed programming external connectivity on endpoint x (1): Bind for 127.0.0.1:8080 failed: port is already allocated",
    ),
    starting,
    "deploy.port_taken",
  ],
  ["no image to create from", http(404, "No such image: nginx:1"), creating, "deploy.image_not_found"],
  [
    "no such repository on the hub",
    http(
      404,
      "pull access denied for x, repository does not exist or may require 'docker login': denied: requested access to the resource is denied",
    ),
    pulling,
    "deploy.image_not_found",
  ],
  [
    "no such tag",
    http(404, "manifest for r.example:5000/app:1 not found: manifest unknown: manifest unknown"),
    pulling,
    "deploy.image_not_found",
  ],
  [
    "not a reference",
    http(400, "invalid reference format: repository name must be lowercase"),
    creating,
    "service.invalid",
  ],
  [
    "no login",
    http(500, 'Head "https://r.example:5000/v2/app/manifests/1": no basic auth credentials'),
    pulling,
    "registry.denied",
  ],
  [
    "wrong login",
    http(500, 'Get "https://r.example:5000/v2/": unauthorized: authentication required'),
    pulling,
    "registry.denied",
  ],
  [
    "registry is down",
    http(500, 'Get "https://r.example:5000/v2/": dial tcp 10.0.0.1:5000: connect: connection refused'),
    pulling,
    "deploy.pull_failed",
  ],
  ["a failure among the events", new Error("unexpected EOF"), pulling, "deploy.pull_failed"],
  ["disk full", http(500, "write /var/lib/docker/x: no space left on device"), pulling, "disk.full"],
  [
    "no folder to mount",
    http(400, 'invalid mount config for type "bind": bind source path does not exist: /nope'),
    creating,
    "service.invalid",
  ],
  [
    "no such command",
    http(
      400,
      'failed to create shim task: OCI runtime create failed: runc create failed: unable to start container process: exec: "nope": executable file not found in $PATH: unknown',
    ),
    starting,
    "service.invalid",
  ],
  ["too little memory", http(400, "Minimum memory limit allowed is 6MB"), creating, "service.invalid"],
  ["no such container", http(404, "No such container: vx-1"), starting, "instance.not_found"],
  ["stopped", http(409, "Container 1 is not running"), starting, "service.stopped"],
  ["anything else", http(500, "the moon is in the wrong phase"), starting, "provider.failed"],
  ["no error at all", undefined, starting, "provider.failed"],
] as const;

test.each(CASES)("%s", (_name, error, task, code) => {
  expect(dockerError(error, task).code).toBe(code);
});

test("a message says where, what and how to go on", () => {
  expect(dockerError(socket("ENOENT"), starting)).toMatchObject({
    message: "no docker engine answers at /var/run/docker.sock",
    hint: expect.stringContaining("systemctl start docker"),
  });
  expect(dockerError(CASES[4][1], starting).message).toContain("127.0.0.1:8080");
  expect(dockerError(http(500, "unauthorized: no"), pulling).hint).toBe(
    "voxeltron registry login r.example:5000",
  );
  expect(dockerError(http(404, "manifest unknown"), { ...pulling, image: "me/app" }).hint).toContain(
    "login docker.io",
  );
});

test("an error of ours is passed through", () => {
  const ours = fail("deploy.cancelled", "the deploy was cancelled");
  expect(dockerError(ours, starting)).toBe(ours);
});

test("what a registry says can't write on the terminal", () => {
  const error = dockerError(http(500, `dial tcp \u001B[2J${"x".repeat(10_000)}`), pulling);
  expect(error.message).not.toContain("\u001B");
  expect(error.message.length).toBeLessThan(600);
});
