/** Certificates over a real database and key file, with somebody who answers the authority's questions over HTTP. */
import { join } from "node:path";
import { systemClock, type Clock } from "../../../../src/base/clock.ts";
import { newId } from "../../../../src/base/ids.ts";
import { makeLog } from "../../../../src/base/log.ts";
import { makeCertificates, type CertificateKeeping } from "../../../../src/engine/certs/certificates.ts";
import { tlsSchema, type TlsSettings } from "../../../../src/engine/certs/tls-schema.ts";
import type { CertificateView } from "../../../../src/engine/certs/views.ts";
import { makeEvents } from "../../../../src/engine/events/outbox.ts";
import { systemResolver } from "../../../../src/platform/http/resolve.ts";
import { makeCertificateRows, type CertificateRows } from "../../../../src/state/certificates.ts";
import { openDatabase } from "../../../../src/state/database.ts";
import { makeEventRows } from "../../../../src/state/events.ts";
import type { CertEvent } from "../../../../src/sdk/index.ts";
import * as v from "valibot";
import { fileBox } from "../../../fixtures/secret-box.ts";

export interface Rig extends AsyncDisposable {
  readonly certificates: CertificateKeeping;
  readonly rows: CertificateRows;
  /** Of live services, each the only one of its service. */
  domains: readonly string[];
  settings: TlsSettings;
  /** The daemon's log, at its most talkative. */
  log(): string;
  events(): readonly CertEvent[];
}

/** How the domain stands after it was tried. */
export async function renewed(rig: Rig, domain: string): Promise<CertificateView> {
  const [view] = await Array.fromAsync(rig.certificates.renew(domain));
  return view!;
}

export interface RigOptions {
  readonly dir: string;
  readonly domains: readonly string[];
  readonly tls: v.InferInput<typeof tlsSchema>;
  readonly clock?: Clock;
  /** Called in the transaction, before the event is a row. */
  readonly emitting?: () => void;
  /** Where HTTP-01 is answered; nowhere without. */
  readonly challengePort?: number;
}

export function makeRig(options: RigOptions): Rig {
  const { dir, domains, tls, clock = systemClock, challengePort } = options;
  const db = openDatabase(join(dir, "state.db"));
  const rows = makeCertificateRows(db);
  const lines: string[] = [];
  const log = makeLog({
    level: () => "debug",
    format: "text",
    clock,
    write: (line) => void lines.push(line),
  });
  const events = makeEvents({ events: makeEventRows(db), gates: async () => {}, clock, newId, log });
  const heard: CertEvent[] = [];
  events.subscribe((event) => {
    if (event.hook === "on_cert_renew") heard.push(event as CertEvent);
  });
  const rig: Rig = {
    domains,
    settings: v.parse(tlsSchema, tls),
    rows,
    certificates: makeCertificates({
      domains: () => rig.domains.map((domain) => ({ domain, service: domain.split(".")[0] ?? "" })),
      settings: () => rig.settings,
      rows,
      box: fileBox(join(dir, "key"), () => false),
      resolve: systemResolver,
      events: {
        emit(hook, data) {
          options.emitting?.();
          return events.emit(hook, data);
        },
      },
      random: () => 0.5,
      clock,
      log,
    }),
    log: () => lines.join(""),
    events: () => heard,
    async [Symbol.asyncDispose]() {
      await rig.certificates.close();
      await responder?.stop(true);
      db.close();
    },
  };
  rig.certificates.open();
  const responder =
    challengePort === undefined
      ? undefined
      : Bun.serve({
          hostname: "127.0.0.1",
          port: challengePort,
          fetch(request) {
            const token = new URL(request.url).pathname.replace("/.well-known/acme-challenge/", "");
            const answer = rig.certificates.challenge(token);
            return answer === undefined ? new Response("no", { status: 404 }) : new Response(answer);
          },
        });
  return rig;
}
