import { expect, test } from "bun:test";
import { endpointText, parseDockerEndpoint } from "../../../../../src/engine/providers/docker/endpoint.ts";

test.each([
  ["/var/run/docker.sock", { socketPath: "/var/run/docker.sock" }, "/var/run/docker.sock"],
  [
    "unix:///run/user/1000/docker.sock",
    { socketPath: "/run/user/1000/docker.sock" },
    "/run/user/1000/docker.sock",
  ],
  ["tcp://10.0.0.5:2375", { protocol: "http", host: "10.0.0.5", port: 2375 }, "tcp://10.0.0.5:2375"],
  ["http://engine:2375/", { protocol: "http", host: "engine", port: 2375 }, "tcp://engine:2375"],
  ["tcp://[::1]:2375", { protocol: "http", host: "::1", port: 2375 }, "tcp://[::1]:2375"],
] as const)("%s is an endpoint", (text, endpoint, shown) => {
  expect(parseDockerEndpoint(text)).toEqual(endpoint);
  expect(endpointText(endpoint)).toBe(shown);
});

test.each(["", "docker.sock", "ssh://host", "tcp://host", "tcp://host:0", "tcp://host:99999", "tcp://a b:1"])(
  "%j is none",
  (text) => {
    expect(parseDockerEndpoint(text)).toBeUndefined();
  },
);
