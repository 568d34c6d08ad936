/** Certificates, and the watch over what is served: for the domains of live services, as long as something is served over TLS. Called by compose.ts. */
import { makeCertificates, type CertificateKeeping } from "../engine/certs/certificates.ts";
import { makeExpiryWatch, type ExpiryWatch } from "../engine/certs/expiry-watch.ts";
import { liveHosts } from "../engine/certs/live-hosts.ts";
import type { WantedDomain } from "../engine/certs/wanted.ts";
import type { Address } from "../engine/edge/address.ts";
import type { Events } from "../engine/events/events.ts";
import type { SecretBox } from "../engine/secret-box.ts";
import { systemResolver } from "../platform/http/resolve.ts";
import { readServed } from "../platform/tls/served-certificate.ts";
import { makeCertificateRows } from "../state/certificates.ts";
import type { Database } from "../state/database.ts";
import type { ServiceState } from "../state/service-state.ts";
import type { World } from "./world.ts";

export interface CertsNeeds {
  readonly state: ServiceState;
  readonly box: SecretBox;
  readonly events: Events;
  /** Where certificates are served; undefined where nothing is. */
  readonly listener: () => Address | undefined;
}

export interface Certs {
  readonly certificates: CertificateKeeping;
  /** For the alerts. */
  readonly expiry: ExpiryWatch;
}

export function composeCerts({ config, clock, log }: World, db: Database, needs: CertsNeeds): Certs {
  const { state, listener } = needs;
  const rows = makeCertificateRows(db);

  const domains = (): readonly WantedDomain[] => (listener() === undefined ? [] : liveHosts(state));

  return {
    certificates: makeCertificates({
      ...needs,
      domains,
      settings: () => config().tls,
      rows,
      resolve: systemResolver,
      random: Math.random,
      clock,
      log,
    }),
    expiry: makeExpiryWatch({ domains, listener, readServed, clock, log }),
  };
}
