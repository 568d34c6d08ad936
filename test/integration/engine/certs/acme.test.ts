import { X509Certificate } from "node:crypto";
import { describe, expect, test } from "bun:test";
import { needs, tempDir, until } from "../../../harness.ts";
import { startPebble, type Pebble } from "../../../pebble.ts";
import { makeRig, type Rig, type RigOptions } from "./cert-rig.ts";

const LIMIT_MS = 120_000;

interface Scene {
  readonly pebble: Pebble;
  readonly dir: string;
  rig(domains: readonly string[], more?: Partial<RigOptions>): Rig;
}

async function withPebble(work: (scene: Scene) => Promise<void>, options = {}): Promise<void> {
  await using dir = tempDir();
  await using pebble = await startPebble(options);
  await work({
    pebble,
    dir: dir.path,
    rig: (domains, more = {}) =>
      makeRig({
        dir: dir.path,
        domains,
        tls: { acme_directory: pebble.directory, acme_ca_file: pebble.caFile, acme_email: "ops@example.com" },
        challengePort: pebble.challengePort,
        ...more,
      }),
  });
}

const served = ({ certificates }: Rig, domain: string): X509Certificate | undefined => {
  const pair = certificates.find(domain);
  return pair === undefined ? undefined : new X509Certificate(pair.cert);
};

const viewOf = ({ certificates }: Rig, domain: string) =>
  certificates.list().find((view) => view.domain === domain);

const has = needs("pebble");

describe.skipIf(!has)("an authority that speaks ACME", () => {
  test(
    "issues a certificate for each domain, which is found by its name and told to whoever serves",
    () =>
      withPebble(async ({ pebble, rig: makeIt }) => {
        await pebble.resolve("web.example.com", "127.0.0.1");
        await pebble.resolve("api.example.com", "127.0.0.1");
        await using rig = makeIt(["web.example.com", "api.example.com"]);
        let told = 0;
        rig.certificates.changed(() => void told++);
        rig.certificates.start();
        await until(() => rig.events().length === 2, { timeoutMs: 60_000, what: "two certificates" });
        const web = served(rig, "WEB.example.com.")!;
        expect(web.subjectAltName).toBe("DNS:web.example.com");
        expect(served(rig, "api.example.com")?.subjectAltName).toBe("DNS:api.example.com");
        expect(served(rig, "other.example.com")).toBeUndefined();
        expect(told).toBe(2);
        expect(rig.events()).toContainEqual(
          expect.objectContaining({
            domain: "web.example.com",
            ok: true,
            issuer: expect.stringContaining("Pebble"),
            notAfter: web.validToDate.toISOString(),
          }),
        );
        expect(viewOf(rig, "web.example.com")).toMatchObject({
          state: "valid",
          source: "acme",
          service: "web",
          failures: 0,
          error: null,
        });
        // A third of the life is left then, or a little more.
        const view = viewOf(rig, "web.example.com")!;
        const [begin, end, next] = [view.notBefore!, view.notAfter!, view.nextTry!].map((at) => Date.parse(at));
        const share = (end! - next!) / (end! - begin!);
        expect(share).toBeGreaterThan(0.33);
        expect(share).toBeLessThan(0.37);
        expect(rig.rows.account(pebble.directory)).toMatchObject({ email: "ops@example.com" });
        expect(pebble.asked.filter((line) => line.includes("sign-me-up") || line.includes("acct"))).toHaveLength(1);
      }),
    LIMIT_MS,
  );
});
