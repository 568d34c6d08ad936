import { describe, expect, test } from "bun:test";
import { X509Certificate } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { systemClock, type Clock } from "../../../../src/base/clock.ts";
import { makeCertificate } from "../../../certificate.ts";
import { codeOf } from "../../../fixtures/rejection.ts";
import { fileBox } from "../../../fixtures/secret-box.ts";
import { needs, tempDir, until } from "../../../harness.ts";
import { startPebble, type Pebble, type PebbleOptions } from "../../../pebble.ts";
import { makeRig, renewed, type Rig, type RigOptions } from "./cert-rig.ts";

const LIMIT_MS = 120_000;
/** Orders in all, by the step at which a daemon is killed. */
const ORDERS: Readonly<Record<string, readonly number[]>> = {
  "/order-plz": [2],
  "/chalZ/": [1, 2],
  "/finalize-order/": [1],
  "/certZ/": [1],
};
const CUSTOMER_KEY = Buffer.alloc(48, 7).toString("base64url");
const CHILD = join(import.meta.dir, "cert-child.ts");

interface Scene {
  readonly pebble: Pebble;
  readonly dir: string;
  readonly rig: (domains: readonly string[], more?: Partial<RigOptions>) => Rig;
}

async function withPebble(work: (scene: Scene) => Promise<void>, options: PebbleOptions = {}): Promise<void> {
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
        const [begin, end, next] = [view.notBefore!, view.notAfter!, view.nextTry!].map((at) =>
          Date.parse(at),
        );
        const share = (end! - next!) / (end! - begin!);
        expect(share).toBeGreaterThan(0.33);
        expect(share).toBeLessThan(0.37);
        expect(rig.rows.account(pebble.directory)).toMatchObject({ email: "ops@example.com" });
        expect(
          pebble.asked.filter((line) => line.includes("sign-me-up") || line.includes("acct")),
        ).toHaveLength(1);
      }),
    LIMIT_MS,
  );

  test(
    "takes another nonce where one is refused, and tells of a changed mail address with the next certificate",
    () =>
      withPebble(
        async ({ pebble, rig: makeIt }) => {
          await pebble.resolve("web.example.com", "127.0.0.1");
          await using rig = makeIt(["web.example.com"]);
          rig.certificates.start();
          await until(() => rig.events().length === 1, { timeoutMs: 60_000, what: "a certificate" });
          expect(rig.events()[0]).toMatchObject({ ok: true });
          const first = served(rig, "web.example.com")!;
          rig.settings = { ...rig.settings, acme_email: "new@example.com" };
          expect(await renewed(rig, "web.example.com")).toMatchObject({ state: "valid", error: null });
          expect(served(rig, "web.example.com")!.serialNumber).not.toBe(first.serialNumber);
          expect(rig.rows.account(pebble.directory)).toMatchObject({ email: "new@example.com" });
        },
        { environment: { PEBBLE_WFE_NONCEREJECT: "25" } },
      ),
    LIMIT_MS,
  );

  test.each([
    [
      "leads nowhere",
      undefined,
      ["dns", "validation"],
      /could not make sure of lost\.example\.com: .*lost\.example\.com/,
    ],
    ["leads to a machine where nobody answers", "127.0.0.77", ["validation"], /127\.0\.0\.77.*refused/],
    [
      "leads to a machine that knows nothing of it",
      "127.0.0.78",
      ["validation"],
      /answered|404|[Ii]nvalid|status/,
    ],
  ] as const)(
    "that finds a domain which %s says so in its own words, and the others get theirs",
    (_what, address, problems, words) =>
      withPebble(async ({ pebble, rig: makeIt }) => {
        using stranger =
          address === "127.0.0.78"
            ? Bun.serve({
                hostname: address,
                port: pebble.challengePort,
                fetch: () => new Response("no", { status: 404 }),
              })
            : undefined;
        void stranger;
        await pebble.resolve("web.example.com", "127.0.0.1");
        await pebble.resolve("lost.example.com", address);
        await using rig = makeIt(["lost.example.com", "web.example.com"]);
        rig.certificates.start();
        await until(() => rig.events().length === 2, { timeoutMs: 60_000, what: "both" });
        const lost = viewOf(rig, "lost.example.com")!;
        expect(lost).toMatchObject({ state: "missing", failures: 1, notAfter: null });
        expect(problems as readonly string[]).toContain(lost.problem!);
        expect(lost.error).toMatch(words);
        expect(Date.parse(lost.nextTry!)).toBeGreaterThan(Date.now() + 60_000);
        expect(rig.events().find(({ domain }) => domain === "lost.example.com")).toMatchObject({
          ok: false,
          issuer: "",
          error: lost.error!,
        });
        expect(viewOf(rig, "web.example.com")).toMatchObject({ state: "valid" });
        // The operator mends it and does not want to wait.
        await pebble.resolve("lost.example.com", "127.0.0.1");
        expect(await renewed(rig, "lost.example.com")).toMatchObject({
          state: "valid",
          failures: 0,
          problem: null,
          error: null,
        });
      }),
    LIMIT_MS,
  );

  test(
    "that asks to wait is not asked again before, not even by hand or after a restart; what is served stays",
    () =>
      withPebble(async ({ pebble, rig: makeIt }) => {
        await pebble.resolve("web.example.com", "127.0.0.1");
        let serial: string;
        {
          await using rig = makeIt(["web.example.com"]);
          rig.certificates.start();
          await until(() => rig.events().length === 1, { timeoutMs: 60_000, what: "a certificate" });
          serial = served(rig, "web.example.com")!.serialNumber;
          pebble.intercept = (_request, path) =>
            path === "/order-plz"
              ? problem(429, "rateLimited", "too many certificates already issued for example.com", {
                  "retry-after": "7200",
                })
              : undefined;
          expect(await renewed(rig, "web.example.com")).toMatchObject({
            state: "valid",
            problem: "rate-limited",
            failures: 1,
            error:
              "the authority answered 429 (rateLimited): too many certificates already issued for example.com",
          });
          const next = Date.parse(viewOf(rig, "web.example.com")!.nextTry!);
          expect(next - Date.now()).toBeGreaterThan(7_190_000);
          expect(next - Date.now()).toBeLessThan(7_260_000);
        }
        pebble.asked.length = 0;
        let ahead = 0;
        await using rig = makeIt(["web.example.com"], { clock: shifted(() => ahead) });
        rig.certificates.start();
        expect(served(rig, "web.example.com")?.serialNumber).toBe(serial);
        expect(await codeOf(renewed(rig, "web.example.com"))).toBe("certificate.held");
        expect(pebble.asked).toEqual([]);
        pebble.intercept = () => undefined;
        ahead = 7_300_000;
        rig.certificates.look();
        await until(() => rig.events().length === 1, { timeoutMs: 60_000, what: "a certificate" });
        expect(rig.events()[0]).toMatchObject({ ok: true });
        expect(served(rig, "web.example.com")!.serialNumber).not.toBe(serial);
      }),
    LIMIT_MS,
  );

  test(
    "that can't be reached, or is not who it should be, is tried again later, and later still",
    () =>
      withPebble(async ({ pebble, dir }) => {
        await pebble.resolve("web.example.com", "127.0.0.1");
        let ahead = 0;
        const clock = shifted(() => ahead);
        await using rig = makeRig({
          dir,
          clock,
          domains: ["web.example.com"],
          tls: { acme_directory: "https://127.0.0.1:9/dir", acme_ca_file: pebble.caFile },
        });
        rig.settings = { ...rig.settings, acme_directory: `https://127.0.0.1:${await closedPort()}/dir` };
        rig.certificates.start();
        await until(() => rig.events().length === 1, { timeoutMs: 60_000, what: "a failure" });
        expect(viewOf(rig, "web.example.com")).toMatchObject({ problem: "unavailable", state: "missing" });
        expect(viewOf(rig, "web.example.com")?.error).toMatch(
          /^the authority can't be reached: .*connection refused/,
        );
        const pauses: number[] = [];
        for (let failures = 1; failures <= 4; failures++) {
          const view = viewOf(rig, "web.example.com")!;
          expect(view.failures).toBe(failures);
          pauses.push(Date.parse(view.nextTry!) - Date.parse(view.lastTry!));
          rig.certificates.look();
          ahead += pauses.at(-1)! + 1_000;
          rig.certificates.look();
          await until(() => rig.events().length === failures + 1, { timeoutMs: 60_000, what: "a failure" });
        }
        expect(pauses.map((ms) => Math.round(ms / 60_000))).toEqual([2, 10, 30, 60]);
        // Nobody whom the machine trusts: the file that would say so is not there.
        const { acme_ca_file: _file, ...trusting } = rig.settings;
        rig.settings = { ...trusting, acme_directory: pebble.directory };
        expect(await renewed(rig, "web.example.com")).toMatchObject({
          problem: "unavailable",
          failures: 1,
          error: expect.stringContaining("certificate is"),
        });
        rig.settings = { ...rig.settings, acme_ca_file: `${dir}/nothing.pem` };
        expect(await renewed(rig, "web.example.com")).toMatchObject({
          problem: "misconfigured",
          error: expect.stringContaining("it does not exist"),
        });
        expect(pebble.asked).toEqual([]);
      }),
    LIMIT_MS,
  );

  test(
    "that lets an order go says so, and the next try begins another",
    () =>
      withPebble(async ({ pebble, rig: makeIt }) => {
        await pebble.resolve("web.example.com", "127.0.0.1");
        await using rig = makeIt(["web.example.com"]);
        pebble.rewrite = (path, body) =>
          path.startsWith("/my-order/")
            ? JSON.stringify({ ...JSON.parse(body), status: "invalid", expires: "2026-01-02T03:04:05Z" })
            : body;
        rig.certificates.start();
        await until(() => rig.events().length === 1, { timeoutMs: 60_000, what: "a failure" });
        expect(viewOf(rig, "web.example.com")).toMatchObject({
          problem: "order-expired",
          error: "the authority calls the order invalid (it ends at 2026-01-02T03:04:05Z)",
        });
        pebble.rewrite = (_path, body) => body;
        pebble.intercept = (_request, path) =>
          path.startsWith("/finalize-order/")
            ? problem(403, "orderNotReady", "Order's status was not ready: it has expired")
            : undefined;
        expect(await renewed(rig, "web.example.com")).toMatchObject({
          problem: "order-expired",
          error:
            "the order is gone: the authority answered 403 (orderNotReady): Order's status was not ready: it has expired",
        });
        pebble.intercept = () => undefined;
        expect(await renewed(rig, "web.example.com")).toMatchObject({ state: "valid", error: null });
        expect(pebble.asked.filter((line) => line === "POST /order-plz")).toHaveLength(3);
      }),
    LIMIT_MS,
  );

  test(
    "that only serves customers is shown whose account it is",
    () =>
      withPebble(
        async ({ pebble, dir, rig: makeIt }) => {
          await pebble.resolve("web.example.com", "127.0.0.1");
          await using rig = makeIt(["web.example.com"]);
          rig.certificates.start();
          await until(() => rig.events().length === 1, { timeoutMs: 60_000, what: "a failure" });
          expect(viewOf(rig, "web.example.com")).toMatchObject({
            problem: "refused",
            error: expect.stringContaining("externalAccountRequired"),
          });
          const file = join(dir, "eab");
          writeFileSync(file, `${CUSTOMER_KEY}\n`);
          rig.settings = { ...rig.settings, acme_eab_kid: "customer-1", acme_eab_key_file: file };
          expect(await renewed(rig, "web.example.com")).toMatchObject({ state: "valid", error: null });
          expect(rig.log()).not.toContain(CUSTOMER_KEY);
        },
        { customers: { "customer-1": CUSTOMER_KEY } },
      ),
    LIMIT_MS,
  );

  test(
    "that won't have a name is quoted",
    () =>
      withPebble(async ({ pebble, rig: makeIt }) => {
        await using rig = makeIt(["blocked.example.com"]);
        rig.certificates.start();
        await until(() => rig.events().length === 1, { timeoutMs: 60_000, what: "a failure" });
        expect(viewOf(rig, "blocked.example.com")).toMatchObject({
          problem: "refused",
          error: expect.stringContaining("rejectedIdentifier"),
        });
        expect(pebble.asked).toContain("POST /order-plz");
      }),
    LIMIT_MS,
  );

  test(
    "renews with a third of the life left, over a jump of the clock, and no longer what no service has",
    () =>
      withPebble(
        async ({ pebble, rig: makeIt }) => {
          let ahead = 0;
          const day = 86_400_000;
          for (const name of ["web", "old"]) await pebble.resolve(`${name}.example.com`, "127.0.0.1");
          await using rig = makeIt(["web.example.com", "old.example.com"], { clock: shifted(() => ahead) });
          rig.certificates.start();
          await until(() => rig.events().length === 2, { timeoutMs: 60_000, what: "certificates" });
          const first = served(rig, "web.example.com")!.serialNumber;
          rig.domains = ["web.example.com"];
          // Set back, it changes nothing.
          ahead = -400 * day;
          rig.certificates.look();
          ahead = 57 * day;
          rig.certificates.look();
          expect(rig.events()).toHaveLength(2);
          ahead = 60.1 * day;
          rig.certificates.look();
          await until(() => rig.events().length === 3, { timeoutMs: 60_000, what: "a renewal" });
          expect(rig.events()[2]).toMatchObject({ domain: "web.example.com", ok: true });
          expect(served(rig, "web.example.com")!.serialNumber).not.toBe(first);
          // To this clock the new one is as old, because the authority's own is right: that must not go on and on.
          rig.certificates.look();
          expect(await Array.fromAsync(rig.certificates.renew())).toEqual([]);
          // One that comes back has its certificate still, which is due by now.
          expect(served(rig, "old.example.com")).toBeDefined();
          ahead = 91 * day;
          rig.domains = [];
          rig.certificates.look();
          expect(rig.rows.list()).toEqual([]);
          expect(served(rig, "old.example.com")).toBeUndefined();
          expect(rig.certificates.list()).toEqual([]);
        },
        { lifeSeconds: 90 * 86_400 },
      ),
    LIMIT_MS,
  );

  test.each(Object.keys(ORDERS))(
    "is gone on with by the next daemon after kill -9 at %s, with the same order where it still stands",
    (step) =>
      withPebble(async ({ pebble, dir, rig: makeIt }) => {
        await pebble.resolve("web.example.com", "127.0.0.1");
        const reached = Promise.withResolvers<void>();
        const never = Promise.withResolvers<string>();
        pebble.rewrite = (path, body) => {
          if (!path.startsWith(step)) return body;
          reached.resolve();
          return never.promise;
        };
        const settings = JSON.stringify({ acme_directory: pebble.directory, acme_ca_file: pebble.caFile });
        const child = Bun.spawn([process.execPath, CHILD, dir, settings, String(pebble.challengePort)], {
          stdout: "ignore",
          stderr: "inherit",
        });
        await reached.promise;
        child.kill("SIGKILL");
        await child.exited;
        never.resolve("");
        pebble.rewrite = (_path, body) => body;
        await using rig = makeIt(["web.example.com"]);
        rig.certificates.start();
        await until(() => rig.events().length > 0, { timeoutMs: 60_000, what: "a certificate" });
        expect(rig.events()).toMatchObject([{ ok: true }]);
        expect(viewOf(rig, "web.example.com")).toMatchObject({ state: "valid", failures: 0 });
        // One whose answer never came is not known; one for which the authority looked while nobody was there has come to nothing.
        const orders = pebble.asked.filter((line) => line === "POST /order-plz").length;
        expect(ORDERS[step]).toContain(orders);
      }),
    LIMIT_MS,
  );

  test(
    "that has forgotten account and order after kill -9 gets the same account's key and another order",
    () =>
      withPebble(async ({ pebble, dir, rig: makeIt }) => {
        await pebble.resolve("web.example.com", "127.0.0.1");
        const reached = Promise.withResolvers<void>();
        const never = Promise.withResolvers<string>();
        pebble.rewrite = (path, body) => {
          if (!path.startsWith("/authZ/")) return body;
          reached.resolve();
          return never.promise;
        };
        const settings = JSON.stringify({ acme_directory: pebble.directory, acme_ca_file: pebble.caFile });
        const child = Bun.spawn([process.execPath, CHILD, dir, settings, String(pebble.challengePort)], {
          stdout: "ignore",
          stderr: "inherit",
        });
        await reached.promise;
        child.kill("SIGKILL");
        await child.exited;
        never.resolve("");
        pebble.rewrite = (_path, body) => body;
        await pebble.restart();
        await using rig = makeIt(["web.example.com"]);
        const before = rig.rows.account(pebble.directory)!;
        expect(rig.rows.find("web.example.com")?.orderUrl).toContain("/my-order/");
        rig.certificates.start();
        await until(() => rig.events().length > 0, { timeoutMs: 60_000, what: "a certificate" });
        expect(rig.events()).toMatchObject([{ ok: true }]);
        const after = rig.rows.account(pebble.directory)!;
        expect(after.key).toEqual(before.key);
        expect(after.url).not.toBe(before.url);
      }),
    LIMIT_MS,
  );

  test(
    "that is no longer wanted in the middle of an order has no say in what comes next",
    () =>
      withPebble(async ({ pebble, rig: makeIt }) => {
        await pebble.resolve("web.example.com", "127.0.0.1");
        const reached = Promise.withResolvers<void>();
        const held = Promise.withResolvers<void>();
        pebble.rewrite = async (path, body) => {
          if (path === "/order-plz") {
            reached.resolve();
            await held.promise;
          }
          return body;
        };
        await using rig = makeIt(["web.example.com"]);
        rig.certificates.start();
        await reached.promise;
        expect(viewOf(rig, "web.example.com")).toMatchObject({ state: "ordering", source: "acme" });
        rig.settings = { ...rig.settings, mode: "self-signed" };
        rig.certificates.look();
        held.resolve();
        await until(() => rig.events().length === 2, { timeoutMs: 60_000, what: "both" });
        expect(viewOf(rig, "web.example.com")).toMatchObject({
          state: "valid",
          source: "self-signed",
          issuer: "self-signed",
        });
        expect(rig.rows.find("web.example.com")).toMatchObject({ orderUrl: null, issuedBy: "self-signed" });
      }),
    LIMIT_MS,
  );

  test.each([
    ["/certZ/", () => makeCertificate("web.example.com").cert, "the key does not belong to the certificate"],
    ["/certZ/", () => "no certificate at all", "there is no certificate in PEM in it"],
    [
      "/dir",
      (body: string) => body.replace(/"newOrder":\s*"https:/, '"newOrder":"http:'),
      "which is not encrypted",
    ],
    ["/dir", () => "null", "can't be used"],
    ["/dir", () => "{", "is no JSON"],
    ["/dir", () => `"${"x".repeat(2 * 1024 * 1024)}"`, "larger than 1 MiB"],
    [
      "/authZ/",
      (body: string) => body.replaceAll(/"token":\s*"[^"]*"/g, '"token":"../<script>"'),
      "token can't be answered",
    ],
    ["/authZ/", (body: string) => body.replaceAll('"http-01"', '"dns-01"'), "offers no HTTP-01"],
    [
      "/my-order/",
      (body: string) => body.replace(/"status":\s*"\w*"/, '"status":"__proto__"'),
      "calls the order __proto__",
    ],
  ])(
    "that answers nonsense at %s changes nothing that is served, and is told of",
    (path, change, words) =>
      withPebble(async ({ pebble, rig: makeIt }) => {
        await pebble.resolve("web.example.com", "127.0.0.1");
        await using rig = makeIt(["web.example.com"]);
        rig.certificates.start();
        await until(() => rig.events().length === 1, { timeoutMs: 60_000, what: "a certificate" });
        const good = rig.certificates.find("web.example.com");
        pebble.rewrite = (asked, body) => (asked.startsWith(path) ? change(body) : body);
        const view = await renewed(rig, "web.example.com");
        expect(view).toMatchObject({ state: "valid", failures: 1, error: expect.stringContaining(words) });
        expect(rig.certificates.find("web.example.com")).toEqual(good);
        expect(rig.events()[1]).toMatchObject({ ok: false, error: view.error! });
        // The control: left alone, the same authority issues.
        pebble.rewrite = (_path, body) => body;
        expect(await renewed(rig, "web.example.com")).toMatchObject({ failures: 0, error: null });
        expect(rig.certificates.find("web.example.com")).not.toEqual(good);
      }),
    LIMIT_MS,
  );

  test(
    "leaves keys in no log, event, answer, and nowhere in the state but sealed",
    () =>
      withPebble(async ({ pebble, dir, rig: makeIt }) => {
        await pebble.resolve("web.example.com", "127.0.0.1");
        await using rig = makeIt(["web.example.com", "lost.example.com"]);
        rig.certificates.start();
        await until(() => rig.events().length === 2, { timeoutMs: 60_000, what: "both" });
        const { key, cert } = rig.certificates.find("web.example.com")!;
        const account = fileBox(join(dir, "key")).open(
          rig.rows.account(pebble.directory)!.key,
          `acme-account:${pebble.directory}`,
        );
        const told = [
          rig.log(),
          JSON.stringify(rig.events()),
          JSON.stringify(rig.certificates.list()),
          ...["state.db", "state.db-wal"].map((file) => readFileSync(join(dir, file), "latin1")),
        ].join("\n");
        expect(account).toContain("PRIVATE KEY");
        const secrets = [key, account].flatMap((pem) => pem.split("\n").filter((line) => line.length > 40));
        expect(secrets.length).toBeGreaterThan(2);
        for (const secret of secrets) expect(told).not.toContain(secret);
        expect(told).not.toContain("PRIVATE KEY");
        // The control: what is no secret is found there.
        expect(told).toContain(cert.split("\n")[1]!);
      }),
    LIMIT_MS,
  );
});

// --- internal ---

/** Runs as the machine's clock does, so much ahead of it. */
function shifted(ahead: () => number): Clock {
  return { ...systemClock, now: () => systemClock.now() + ahead() };
}

function problem(
  status: number,
  type: string,
  detail: string,
  headers: Record<string, string> = {},
): Response {
  return Response.json(
    { type: `urn:ietf:params:acme:error:${type}`, detail, status },
    { status, headers: { ...headers, "content-type": "application/problem+json", "replay-nonce": "none" } },
  );
}

async function closedPort(): Promise<number> {
  const server = Bun.serve({ port: 0, hostname: "127.0.0.1", fetch: () => new Response() });
  const { port = 0 } = server;
  await server.stop(true);
  return port;
}
