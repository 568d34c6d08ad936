import { describe, expect, test } from "bun:test";
import { X509Certificate } from "node:crypto";
import { renameSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { makeCertificate } from "../../../certificate.ts";
import { systemClock } from "../../../../src/base/clock.ts";
import { fakeClock, tempDir, until } from "../../../harness.ts";
import { makeRig, renewed } from "./cert-rig.ts";

const viewOf = (rig: ReturnType<typeof makeRig>, domain: string) =>
  rig.certificates.list().find((view) => view.domain === domain);

describe("self-signed certificates", () => {
  test("are made for each domain, kept over a restart, and good for a client that trusts them", async () => {
    await using dir = tempDir();
    const options = { dir: dir.path, domains: ["app.localhost"], tls: { mode: "self-signed" as const } };
    let cert: string;
    {
      await using rig = makeRig(options);
      rig.certificates.start();
      await until(() => rig.events().length === 1);
      expect(rig.events()[0]).toMatchObject({ domain: "app.localhost", ok: true, issuer: "self-signed" });
      expect(viewOf(rig, "app.localhost")).toMatchObject({
        state: "valid",
        source: "self-signed",
        issuer: "self-signed",
      });
      const pair = rig.certificates.find("app.localhost")!;
      ({ cert } = pair);
      using server = Bun.serve({
        port: 0,
        hostname: "127.0.0.1",
        tls: pair,
        fetch: () => new Response("hello"),
      });
      const at = `https://app.localhost:${server.port}/`;
      expect(await (await fetch(at, { tls: { ca: cert } })).text()).toBe("hello");
      // The control: who does not trust it refuses.
      expect(
        await fetch(at).then(
          () => "ok",
          (error: { code: string }) => error.code,
        ),
      ).toBe("UNABLE_TO_VERIFY_LEAF_SIGNATURE");
    }
    await using rig = makeRig(options);
    rig.certificates.start();
    expect(rig.certificates.find("app.localhost")?.cert).toBe(cert);
    expect(rig.events()).toEqual([]);
  });

  test("stand in for one that an authority does not give, where the operator wants that", async () => {
    await using dir = tempDir();
    const tls = { acme_directory: "https://127.0.0.1:9/dir" };
    await using rig = makeRig({ dir: dir.path, domains: ["web.example.com"], tls });
    rig.certificates.start();
    await until(() => rig.events().length === 1);
    expect(rig.certificates.find("web.example.com")).toBeUndefined();
    rig.settings = { ...rig.settings, fallback: "self-signed" };
    rig.certificates.look();
    await until(() => rig.certificates.find("web.example.com"));
    expect(rig.events()).toHaveLength(1);
    await renewed(rig, "web.example.com");
    expect(viewOf(rig, "web.example.com")).toMatchObject({
      state: "stand-in",
      issuer: "self-signed",
      source: "acme",
      failures: 2,
    });
    // What is served is what a failure tells of.
    expect(rig.events()[1]).toMatchObject({ ok: false, issuer: "self-signed" });
  });

  test("serve a wildcard, which no authority gives by HTTP", async () => {
    await using dir = tempDir();
    const options = { dir: dir.path, domains: ["*.example.com"] };
    await using rig = makeRig({ ...options, tls: {} });
    rig.certificates.start();
    expect(viewOf(rig, "*.example.com")).toMatchObject({
      source: null,
      state: "missing",
      problem: "misconfigured",
      error: "no certificate of [tls.files] is for *.example.com",
    });
    rig.settings = { ...rig.settings, mode: "self-signed" };
    rig.certificates.look();
    await until(() => rig.certificates.find("a.example.com"));
    expect(rig.certificates.find("a.b.example.com")).toBeUndefined();
    expect(rig.certificates.find("example.com")).toBeUndefined();
  });

  test("are on record together with their event, or not at all", async () => {
    await using dir = tempDir();
    let isBroken = true;
    await using rig = makeRig({
      dir: dir.path,
      domains: ["app.localhost"],
      tls: { mode: "self-signed" },
      emitting() {
        if (isBroken) throw new Error("the disk is full");
      },
    });
    rig.certificates.start();
    await until(() => rig.log().includes("the disk is full"));
    expect(rig.rows.find("app.localhost")).toMatchObject({ certificate: null, failures: 0 });
    expect(rig.certificates.find("app.localhost")).toBeUndefined();
    isBroken = false;
    expect(await renewed(rig, "app.localhost")).toMatchObject({ state: "valid" });
    expect(rig.events()).toHaveLength(1);
  });

  test("whose key can't be opened any more are made anew", async () => {
    await using dir = tempDir();
    const options = { dir: dir.path, domains: ["app.localhost"], tls: { mode: "self-signed" as const } };
    {
      await using rig = makeRig(options);
      rig.certificates.start();
      await until(() => rig.events().length === 1);
    }
    writeFileSync(join(dir.path, "key"), new Uint8Array(32).fill(7));
    await using rig = makeRig(options);
    rig.certificates.start();
    expect(rig.certificates.find("app.localhost")).toBeUndefined();
    await until(() => rig.events().length === 1);
    expect(rig.certificates.find("app.localhost")?.key).toContain("PRIVATE KEY");
    expect(rig.log()).toContain("another is got");
  });
});

describe("certificates in files", () => {
  test("go before everything else, by name and by wildcard, and are read again when they change", async () => {
    await using dir = tempDir();
    const put = (name: string, ...names: string[]): void => {
      const { cert, key } = makeCertificate(...names);
      writeFileSync(join(dir.path, `${name}.new`), cert);
      writeFileSync(join(dir.path, `${name}.key.new`), key);
      renameSync(join(dir.path, `${name}.key.new`), join(dir.path, `${name}.key`));
      renameSync(join(dir.path, `${name}.new`), join(dir.path, `${name}.pem`));
    };
    const place = (name: string) => ({
      cert: join(dir.path, `${name}.pem`),
      key: join(dir.path, `${name}.key`),
    });
    put("wild", "*.example.com");
    put("one", "one.example.com", "www.example.org");
    const clock = fakeClock(systemClock.now());
    await using rig = makeRig({
      dir: dir.path,
      clock,
      domains: ["one.example.com", "two.example.com", "a.b.example.com"],
      tls: { mode: "files", files: { wild: place("wild"), one: place("one") } },
    });
    let told = 0;
    rig.certificates.changed(() => void told++);
    rig.certificates.start();
    const namesOf = (domain: string): string | undefined => {
      const pair = rig.certificates.find(domain);
      return pair === undefined ? undefined : new X509Certificate(pair.cert).subjectAltName;
    };
    expect(namesOf("one.example.com")).toBe("DNS:one.example.com, DNS:www.example.org");
    expect(namesOf("two.example.com")).toBe("DNS:*.example.com");
    expect(namesOf("a.b.example.com")).toBeUndefined();
    expect(viewOf(rig, "two.example.com")).toMatchObject({ source: "file", state: "valid", error: null });
    expect(viewOf(rig, "a.b.example.com")).toMatchObject({
      source: null,
      state: "missing",
      problem: "misconfigured",
      error: "no certificate of [tls.files] is for a.b.example.com",
    });

    const before = rig.certificates.find("one.example.com");
    await clock.advance(11_000);
    expect(told).toBe(0);
    put("one", "one.example.com");
    await clock.advance(11_000);
    expect(told).toBe(1);
    expect(namesOf("one.example.com")).toBe("DNS:one.example.com");
    expect(rig.certificates.find("one.example.com")).not.toEqual(before);

    // A key that is not the certificate's: what was there stays.
    const good = rig.certificates.find("one.example.com");
    writeFileSync(join(dir.path, "one.key"), makeCertificate("x").key);
    await clock.advance(11_000);
    expect(rig.certificates.find("one.example.com")).toEqual(good);
    expect(viewOf(rig, "one.example.com")).toMatchObject({
      state: "valid",
      problem: "misconfigured",
      error: "tls.files.one: the key does not belong to the certificate",
    });

    // Another file under a link of the same name, as renewing programs do it.
    const other = makeCertificate("one.example.com");
    writeFileSync(join(dir.path, "other.pem"), other.cert);
    writeFileSync(join(dir.path, "other.key"), other.key);
    for (const end of ["pem", "key"]) {
      symlinkSync(`other.${end}`, join(dir.path, "link"));
      renameSync(join(dir.path, "link"), join(dir.path, `one.${end}`));
    }
    expect(await renewed(rig, "one.example.com")).toMatchObject({ state: "valid", error: null });
    expect(rig.certificates.find("one.example.com")).toEqual(other);
  });

  test.each([
    ["is not there", (path: string) => path, "it does not exist"],
    [
      "is no certificate",
      (path: string) => (writeFileSync(path, "hello"), path),
      "there is no certificate in PEM in it",
    ],
    ["is a device", () => "/dev/zero", "it is no plain file"],
  ])("of which one %s are told of, and the fallback serves", async (_what, place, words) => {
    await using dir = tempDir();
    const { key } = makeCertificate("web.example.com");
    writeFileSync(join(dir.path, "key.pem"), key);
    const files = { web: { cert: place(join(dir.path, "cert.pem")), key: join(dir.path, "key.pem") } };
    await using rig = makeRig({ dir: dir.path, domains: ["web.example.com"], tls: { mode: "files", files } });
    rig.certificates.start();
    expect(viewOf(rig, "web.example.com")?.error).toContain(words);
    expect(rig.log()).toContain(words);
    expect(rig.certificates.find("web.example.com")).toBeUndefined();
    rig.settings = { ...rig.settings, fallback: "self-signed" };
    rig.certificates.look();
    await until(() => rig.certificates.find("web.example.com"));
    expect(viewOf(rig, "web.example.com")).toMatchObject({ state: "valid", issuer: "self-signed" });
  });
});
