import { describe, expect, test } from "bun:test";
import type Docker from "dockerode";
import { systemClock } from "../../../../../src/base/clock.ts";
import { readContainerLogs } from "../../../../../src/engine/providers/docker/logs.ts";
import { rejection } from "../../../../fixtures/rejection.ts";

/** A container whose log the engine refuses with `status`. */
function refusing(status: number): Docker.Container {
  const logs = async (): Promise<never> => {
    throw Object.assign(new Error("can not get logs"), { statusCode: status });
  };
  // Of a container, reading its log uses no more than this.
  return { logs } as unknown as Docker.Container;
}

function read(container: Docker.Container, from?: string) {
  const options = { from, signal: new AbortController().signal };
  return Array.fromAsync(readContainerLogs(container, options, systemClock));
}

describe("the log of a container that is being removed", () => {
  test("has ended: whoever follows a service that is replaced meets no error", async () => {
    expect(await read(refusing(409))).toEqual([]);
    expect(await read(refusing(409), "2026-01-31T08:00:00.1Z,stdout,1,0,0")).toEqual([]);
  });

  test("is not the log of one that was never there", async () => {
    expect(await rejection(read(refusing(404)))).toMatchObject({ statusCode: 404 });
    expect(await rejection(read(refusing(500)))).toMatchObject({ statusCode: 500 });
  });
});
