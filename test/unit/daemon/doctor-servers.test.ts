/** What the doctor says of other machines: their files always, their engines where a daemon can ask. */
import { expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { serverFindings } from "../../../src/daemon/doctor-servers.ts";
import type { DockerEndpoint } from "../../../src/engine/providers/docker/endpoint.ts";
import type { ServerView } from "../../../src/engine/servers.ts";
import { issueCertificate, makeCertificate } from "../../certificate.ts";
import { tempDir } from "../../harness.ts";

const authority = makeCertificate("authority");

function server(endpoint: DockerEndpoint) {
  return { a: { endpoint, address: "10.0.0.5", bind: undefined, ports: { first: 1, last: 2 } } };
}

function secure(folder: string, days: number): DockerEndpoint {
  const { cert, key } = issueCertificate({ names: ["me"], issuer: authority, to: days });
  const files = { ca: join(folder, "ca"), cert: join(folder, "cert"), key: join(folder, "key") };
  writeFileSync(files.ca, authority.cert);
  writeFileSync(files.cert, cert);
  writeFileSync(files.key, key, { mode: 0o600 });
  return { protocol: "https", host: "10.0.0.5", port: 2376, files, tlsName: undefined };
}

const nowMs = Date.now();

test("a certificate is told by how long it is valid, and early enough to be renewed", async () => {
  await using dir = tempDir();
  for (const [days, ok] of [
    [90, true],
    [5, false],
  ] as const) {
    const findings = await serverFindings({ settings: server(secure(dir.path, days)), nowMs });
    expect(findings).toMatchObject([{ name: "servers.a.certificate", ok, required: false }]);
    expect(findings[0]?.found).toMatch(/^valid for \d+ more days$/);
    expect(findings[0]?.advice === null).toBe(ok);
  }
});

test("files that can't be used, and an engine that takes orders from everybody, are found without asking anybody", async () => {
  const files = { ca: "/none/ca", cert: "/none/cert", key: "/none/key" };
  const missing = server({ protocol: "https", host: "a", port: 1, files, tlsName: undefined });
  expect(await serverFindings({ settings: missing, nowMs })).toMatchObject([{ ok: false, required: true }]);
  const open = server({ protocol: "http", host: "10.0.0.5", port: 2375 });
  const [finding] = await serverFindings({ settings: open, nowMs });
  expect(finding?.found).toContain("whoever reaches the engine commands it");
  expect(await serverFindings({ settings: server({ socketPath: "/run/a.sock" }), nowMs })).toEqual([]);
});

test("the daemon asks the engines too", async () => {
  const view = { name: "a", endpoint: "/run/a.sock", address: "127.0.0.1", apiVersion: "1.41" };
  const views: ServerView[] = [
    { ...view, reachable: true, version: "20.10.24", error: null },
    { ...view, reachable: false, version: null, error: "nobody there" },
  ];
  for (const each of views) {
    const facts = { settings: server({ socketPath: "/run/a.sock" }), nowMs, look: async () => [each] };
    expect(await serverFindings(facts)).toMatchObject([
      { name: "servers.a", ok: each.reachable, found: each.error ?? "docker 20.10.24 at /run/a.sock" },
    ]);
  }
});
