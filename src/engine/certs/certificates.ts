/**
 * The certificates of the domains that services have: which one is to be served for a name, how each stands, and trying now. Where they are
 * from is decided in wanted.ts; the operator's own files go before everything else. Called by the API server and, through `find`, `changed`
 * and `challenge`, by whoever serves. Made in daemon/compose-certs.ts.
 */
import { timestamp } from "../../base/clock.ts";
import { fail } from "../../base/errors.ts";
import { LIMITS } from "../../base/limits.ts";
import { nameAdvice, quote } from "../../base/text.ts";
import type { CertificateRow } from "../../state/certificates.ts";
import type { Resolver } from "../../platform/http/resolve.ts";
import type { SecretBox } from "../secret-box.ts";
import { makeAuthority } from "./acme/authority.ts";
import { makeChallenges } from "./acme/challenges.ts";
import { wildcardOf, type CertificatePair } from "./certificate-facts.ts";
import { makeKeeper, type KeeperParts } from "./keeper.ts";
import { makeOwnFiles } from "./own-files.ts";
import { makeStored } from "./stored.ts";
import { fileView, rowView, uncoveredView, type CertificateView } from "./views.ts";
import { makeWanted, type WantedDomain } from "./wanted.ts";

/** What a server needs. */
export interface Certificates {
  /** For the name that a client asks for; undefined where there is none. Quick: it is asked at every handshake. */
  find(domain: string): CertificatePair | undefined;
  /** Told when `find` may give something else. Returns the unsubscriber. */
  changed(listener: () => void): () => void;
  /** What to answer to `/.well-known/acme-challenge/TOKEN`. */
  challenge(token: string): string | undefined;
}

export interface CertificateKeeping extends Certificates {
  list(): readonly CertificateView[];
  /**
   * Tries now, and says how each stands then: one domain, or all that have no certificate, are due or failed. Throws
   * `certificate.not_found`, `certificate.held`.
   */
  renew(domain?: string): AsyncGenerator<CertificateView, void, undefined>;
  /** Which services are live, or what the configuration says, may have changed. */
  look(): void;
  /** Takes what there is into memory: `find` gives it from then on. Nobody is asked for anything yet. */
  open(): void;
  /** Whoever serves is there, and answers challenges. After `open`. */
  start(): void;
  close(): Promise<void>;
}

export interface CertificatesParts extends Pick<
  KeeperParts,
  "rows" | "settings" | "events" | "random" | "clock" | "log"
> {
  /** Of live services; none where nothing is served over TLS. */
  readonly domains: () => readonly WantedDomain[];
  readonly box: SecretBox;
  /** For the authority's name. */
  readonly resolve: Resolver;
}

export function makeCertificates(parts: CertificatesParts): CertificateKeeping {
  const { rows, settings, clock, log } = parts;
  const listeners = new Set<() => void>();
  const challenges = makeChallenges();
  const files = makeOwnFiles(() => settings().files, log);
  const stored = makeStored(parts);
  const wanted = makeWanted({ ...parts, files });
  const changed = (): void => {
    for (const listener of listeners) listener();
  };
  const keeper = makeKeeper({
    ...parts,
    wanted,
    stored,
    changed,
    authority: makeAuthority({ ...parts, challenges }),
  });
  let cancelFiles = (): void => {};

  function lookAtFiles(): void {
    cancelFiles();
    cancelFiles = clock.after(LIMITS.certFilesMs, lookAtFiles);
    if (!files.look()) return;
    log.info("certificates were taken from files", { names: Object.keys(settings().files) });
    keeper.look();
    changed();
  }

  function view({ domain, service }: WantedDomain, known = rows.find(domain)): CertificateView {
    const file = files.find(domain);
    if (file !== undefined) return fileView(domain, service, file, clock.now());
    const row = wanted.sourceOf(domain) === undefined ? undefined : known;
    if (row === undefined) return uncoveredView(domain, service, settings().mode, files.problems());
    return rowView(row, service, { now: clock.now(), isTrying: keeper.isTrying(domain) });
  }

  function wantedDomain(name: string): WantedDomain {
    const all = wanted.domains();
    const found = all.find(({ domain }) => domain === name);
    if (found !== undefined) return found;
    const known = all.map(({ domain }) => domain);
    throw fail("certificate.not_found", `no live service has the domain ${quote(name)}`, {
      hint:
        known.length === 0
          ? "certificates are for the domains of live services, where [proxy] https is set"
          : nameAdvice(name, known),
    });
  }

  /** Those that an authority wants to be left alone about are not. */
  function pressing(): WantedDomain[] {
    const now = clock.now();
    const rows = wanted
      .update()
      .rows.filter((row) => row.certificate === null || row.failures > 0 || keeper.isDue(row))
      .filter((row) => heldUntil(row, now) === undefined);
    return wanted.domains().filter(({ domain }) => rows.some((row) => row.domain === domain));
  }

  async function renewOne(which: WantedDomain): Promise<CertificateView> {
    const { domain } = which;
    if (wanted.sourceOf(domain) === undefined) lookAtFiles();
    else {
      const row = wanted.update().rows.find((each) => each.domain === domain);
      if (row !== undefined && !keeper.isTrying(domain)) checkHold(row, clock.now());
      await keeper.tryNow(domain);
    }
    return view(which);
  }

  return {
    find(name) {
      const domain = name.toLowerCase().replace(/\.$/, "");
      return files.find(domain)?.pair ?? stored.find(domain) ?? stored.find(wildcardOf(domain));
    },
    changed(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    challenge: (token) => challenges.answer(token),
    list() {
      const known = new Map(rows.list().map((row) => [row.domain, row]));
      return wanted.domains().map((which) => view(which, known.get(which.domain)));
    },
    async *renew(name) {
      const domains = name === undefined ? pressing() : [wantedDomain(name.toLowerCase())];
      const tries = domains.map(renewOne);
      // Whoever asked may leave at the first.
      for (const each of tries) each.catch(() => {});
      for (const each of tries) yield await each;
    },
    look() {
      lookAtFiles();
      keeper.look();
    },
    open() {
      stored.open();
      lookAtFiles();
    },
    start: () => keeper.start(),
    async close() {
      cancelFiles();
      await keeper.close();
    },
  };
}

// --- internal ---

/** The authority's wish stands above the operator's: who asks before it ends makes it longer. */
function checkHold(row: CertificateRow, nowMs: number): void {
  const until = heldUntil(row, nowMs);
  if (until === undefined) return;
  const { domain, error } = row;
  throw fail(
    "certificate.held",
    `the authority asked not to be asked for ${domain} before ${until}: ${error ?? ""}`,
    {
      details: { domain, until },
      hint: "wait for it: it is then tried by itself",
    },
  );
}

/** Nothing where the clock was wrong when the authority was asked. */
function heldUntil({ heldUntil: until, triedAt }: CertificateRow, nowMs: number): string | undefined {
  const now = timestamp(nowMs);
  return until === null || until <= now || (triedAt !== null && triedAt > now) ? undefined : until;
}
