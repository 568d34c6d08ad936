import { describe, expect, test } from "bun:test";
import { createSecureContext, createServer } from "node:tls";
import type { AddressInfo } from "node:net";
import { systemClock, type Clock } from "../../../../src/base/clock.ts";
import { LIMITS } from "../../../../src/base/limits.ts";
import { silentLog } from "../../../../src/base/log.ts";
import { makeAlerts } from "../../../../src/engine/alerts/alerts.ts";
import { makeExpiryWatch } from "../../../../src/engine/certs/expiry-watch.ts";
import { makeSelfSigned } from "../../../../src/engine/certs/self-signed.ts";
import { readServed } from "../../../../src/platform/tls/served-certificate.ts";
import type { AlertEvent } from "../../../../src/sdk/index.ts";
import { makeAlertRows } from "../../../../src/state/alerts.ts";
import { openDatabase } from "../../../../src/state/database.ts";

type Heard = Omit<AlertEvent, "id" | "hook" | "at">;

const DAY = 86_400_000;

interface Pair {
  readonly cert: string;
  readonly key: string;
}

/** A server that shows each name its own certificate, and nothing to others. */
async function tlsServer(served: Record<string, Pair>) {
  const server = createServer({
    SNICallback(name, done) {
      const pair = served[name];
      if (pair === undefined) done(new Error("nothing for that name"));
      else done(null, createSecureContext(pair));
    },
  });
  server.on("tlsClientError", () => {});
  server.on("secureConnection", (socket) => socket.on("error", () => {}));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", () => resolve()));
  return {
    port: (server.address() as AddressInfo).port,
    async [Symbol.asyncDispose]() {
      server.close();
    },
  };
}

function makeWatch(
  port: number,
  domains: () => readonly string[],
  clock: Clock,
  db = openDatabase(":memory:"),
) {
  const heard: Heard[] = [];
  const watch = makeExpiryWatch({
    domains: () => domains().map((domain) => ({ domain, service: "web" })),
    listener: () => ({ host: "0.0.0.0", port }),
    readServed,
    clock,
    log: silentLog,
  });
  const alerts = makeAlerts({
    rows: makeAlertRows(db),
    events: {
      emit(_hook, data) {
        heard.push(data as unknown as Heard);
        return data as never;
      },
    },
    notify: { channels: () => [], send: () => Promise.reject(new Error("nobody is told")) },
    watches: [watch],
    rules: () => [],
    settings: () => ({ channels: undefined, disable: [] }),
    clock,
    log: silentLog,
  });
  return {
    heard,
    db,
    alerts,
    /** Looks, waits for what is served, and says what it found. */
    async look() {
      await alerts.look();
      await watch.idle();
      await alerts.look();
    },
  };
}

describe("the watch over what is served", () => {
  test("raises an alert before a certificate ends, once, and it is over once another is served", async () => {
    const made = systemClock.now();
    const served: Record<string, Pair> = { "web.example.com": await makeSelfSigned("web.example.com", made) };
    await using server = await tlsServer(served);
    let ahead = 0;
    const clock: Clock = { ...systemClock, now: () => made + ahead, monotonic: () => ahead };
    let domains = ["web.example.com", "unknown.example.com"];
    const first = makeWatch(server.port, () => domains, clock);
    await first.look();
    ahead = (397 - 15) * DAY;
    await first.look();
    expect(first.heard).toEqual([]);
    ahead = (397 - 13) * DAY;
    await first.look();
    await first.look();
    expect(first.heard).toEqual([
      {
        name: "certificate-expiry",
        state: "firing",
        metric: "certificate_days_left",
        value: 13,
        threshold: 14,
        service: "web",
        since: new Date(made + ahead).toISOString(),
        message: expect.stringMatching(
          /^the certificate that is served for web\.example\.com ends at .*, in 13 days$/,
        ),
      },
    ]);
    expect(first.alerts.list(false)).toMatchObject([
      { name: "certificate-expiry", subject: "web.example.com" },
    ]);

    // The next daemon knows that it fires, also before it has seen anything.
    const second = makeWatch(server.port, () => domains, clock, first.db);
    await second.alerts.look();
    ahead = 398 * DAY;
    await second.look();
    expect(second.heard).toEqual([]);
    served["web.example.com"] = await makeSelfSigned("web.example.com", made + ahead);
    ahead += LIMITS.certLookMs;
    await second.look();
    await second.look();
    expect(second.heard).toMatchObject([{ state: "resolved", since: first.heard[0]!.since }]);

    // A domain that leaves takes its alert with it.
    ahead += 390 * DAY;
    await second.look();
    domains = [];
    await second.look();
    expect(second.heard.map(({ state }) => state)).toEqual(["resolved", "firing", "resolved"]);
  });

  test("says that one has ended, and keeps to it while nothing can be seen", async () => {
    const pair = await makeSelfSigned("web.example.com", systemClock.now() - 400 * DAY);
    let ahead = 0;
    const clock: Clock = { ...systemClock, monotonic: () => ahead };
    const watched = await (async () => {
      await using server = await tlsServer({ "web.example.com": pair });
      const watch = makeWatch(server.port, () => ["web.example.com"], clock);
      await watch.look();
      expect(watch.heard).toMatchObject([{ state: "firing", message: expect.stringContaining("ended at") }]);
      expect(watch.heard[0]!.value).toBeLessThan(0);
      return watch;
    })();
    ahead = LIMITS.certLookMs;
    await watched.look();
    await watched.look();
    expect(watched.heard).toHaveLength(1);
    expect(watched.alerts.list(false)).toHaveLength(1);
  });
});
