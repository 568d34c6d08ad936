import { describe, expect, test } from "bun:test";
import { createSecureContext, createServer } from "node:tls";
import type { AddressInfo } from "node:net";
import { systemClock, type Clock } from "../../../../src/base/clock.ts";
import { newId } from "../../../../src/base/ids.ts";
import { silentLog } from "../../../../src/base/log.ts";
import { makeExpiryWatch } from "../../../../src/engine/certs/expiry-watch.ts";
import { makeSelfSigned } from "../../../../src/engine/certs/self-signed.ts";
import { makeEvents } from "../../../../src/engine/events/outbox.ts";
import { readServed } from "../../../../src/platform/tls/served-certificate.ts";
import type { AlertEvent } from "../../../../src/sdk/index.ts";
import { makeCertificateRows } from "../../../../src/state/certificates.ts";
import { openDatabase } from "../../../../src/state/database.ts";
import { makeEventRows } from "../../../../src/state/events.ts";

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
  const events = makeEvents({
    events: makeEventRows(db),
    gates: async () => {},
    clock,
    newId,
    log: silentLog,
  });
  const heard: AlertEvent[] = [];
  events.subscribe((event) => void heard.push(event as AlertEvent));
  const watch = makeExpiryWatch({
    domains: () => domains().map((domain) => ({ domain, service: "web" })),
    listener: () => ({ host: "0.0.0.0", port }),
    readServed,
    rows: makeCertificateRows(db),
    events,
    clock,
    log: silentLog,
  });
  return { watch, heard, db };
}

describe("the watch over what is served", () => {
  test("raises an alert before a certificate ends, once, and resolves it once when another is served", async () => {
    const made = systemClock.now();
    const served: Record<string, Pair> = { "web.example.com": await makeSelfSigned("web.example.com", made) };
    await using server = await tlsServer(served);
    let ahead = 0;
    const clock: Clock = { ...systemClock, now: () => made + ahead };
    let domains = ["web.example.com", "unknown.example.com"];
    const first = makeWatch(server.port, () => domains, clock);
    await first.watch.look();
    ahead = (397 - 15) * DAY;
    await first.watch.look();
    expect(first.heard).toEqual([]);
    ahead = (397 - 13) * DAY;
    await first.watch.look();
    await first.watch.look();
    await Bun.sleep(0);
    expect(first.heard).toMatchObject([
      {
        hook: "on_alert",
        name: "certificate-expiry",
        state: "firing",
        metric: "certificate_days_left",
        value: 13,
        threshold: 14,
        service: "web",
        message: expect.stringMatching(
          /^the certificate that is served for web\.example\.com ends at .*, in 13 days$/,
        ),
      },
    ]);
    first.watch.close();

    // The next daemon knows that it was raised.
    const second = makeWatch(server.port, () => domains, clock, first.db);
    await second.watch.look();
    ahead = 398 * DAY;
    await second.watch.look();
    await Bun.sleep(0);
    expect(second.heard).toEqual([]);
    served["web.example.com"] = await makeSelfSigned("web.example.com", made + ahead);
    await second.watch.look();
    await second.watch.look();
    await Bun.sleep(0);
    expect(second.heard).toMatchObject([{ state: "resolved", since: first.heard[0]!.since }]);

    // A domain that leaves takes its alert with it.
    ahead += 390 * DAY;
    await second.watch.look();
    domains = [];
    await second.watch.look();
    await Bun.sleep(0);
    expect(second.heard.map(({ state }) => state)).toEqual(["resolved", "firing", "resolved"]);
    expect(makeCertificateRows(first.db).alerts()).toEqual([]);
  });

  test("says that one has ended, and looks at short lives with a shorter measure", async () => {
    const now = systemClock.now();
    const pair = await makeSelfSigned("web.example.com", now - 400 * DAY);
    await using server = await tlsServer({ "web.example.com": pair });
    const { watch, heard } = makeWatch(server.port, () => ["web.example.com"], systemClock);
    await watch.look();
    await Bun.sleep(0);
    expect(heard).toMatchObject([{ state: "firing", message: expect.stringContaining("ended at") }]);
    expect(heard[0]!.value).toBeLessThan(0);
  });
});
