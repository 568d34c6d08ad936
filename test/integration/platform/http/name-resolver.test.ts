import { describe, expect, test } from "bun:test";
import { utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { makeNameResolver } from "../../../../src/platform/http/name-resolver.ts";
import { rejection } from "../../../fixtures/rejection.ts";
import { tempDir } from "../../../harness.ts";

const HOSTS = `# a comment
127.0.0.1\tlocalhost
10.1.2.3   Build.Internal build # the same machine
fd00::3 build
192.168.7.7
`;

describe("makeNameResolver", () => {
  test("knows what is in the hosts file, in any case, all addresses of it", async () => {
    await using dir = tempDir();
    const hosts = join(dir.path, "hosts");
    writeFileSync(hosts, HOSTS);
    const resolve = makeNameResolver({ hosts, resolvConf: join(dir.path, "none") });
    expect(await resolve("build.internal")).toEqual(["10.1.2.3"]);
    expect(await resolve("build")).toEqual(["10.1.2.3", "fd00::3"]);
  });

  test("reads the hosts file again once it has changed", async () => {
    await using dir = tempDir();
    const hosts = join(dir.path, "hosts");
    writeFileSync(hosts, "10.0.0.1 a.test\n");
    const resolve = makeNameResolver({ hosts, resolvConf: join(dir.path, "none") });
    expect(await resolve("a.test")).toEqual(["10.0.0.1"]);
    writeFileSync(hosts, "10.0.0.2 a.test\n");
    utimesSync(hosts, 1, 1);
    expect(await resolve("a.test")).toEqual(["10.0.0.2"]);
  });

  test("asks nobody for localhost, whatever stands before it, and does without any file", async () => {
    const resolve = makeNameResolver({ hosts: "/nowhere/hosts", resolvConf: "/nowhere/resolv.conf" });
    expect(await resolve("localhost")).toEqual(["127.0.0.1", "::1"]);
    expect(await resolve("app.localhost")).toEqual(["127.0.0.1", "::1"]);
  });

  test("rejects for a name that nobody has, and when it is told to stop", async () => {
    const resolve = makeNameResolver();
    expect(await rejection(resolve("no-such-name.invalid"))).toBeInstanceOf(Error);
    const stop = new AbortController();
    const asked = rejection(resolve("no-such-name.invalid", stop.signal));
    stop.abort();
    expect(await asked).toBeInstanceOf(Error);
  });
});
