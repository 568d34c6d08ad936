/**
 * Gets certificates from the authority that the configuration names, by ACME. The account's key is made with the first and kept sealed; an
 * account that the authority has forgotten is made again with it. Called by certificates.ts.
 */
import type { Client, ClientOptions } from "acme-client";
import type { Clock } from "../../../base/clock.ts";
import { isVoxError, messageOf, stackOf } from "../../../base/errors.ts";
import { LIMITS } from "../../../base/limits.ts";
import type { Log } from "../../../base/log.ts";
import { makeHttpClient } from "../../../platform/http/http-client.ts";
import { makeHttpOpener } from "../../../platform/http/open-http.ts";
import type { Resolver } from "../../../platform/http/resolve.ts";
import type { CertificateRows } from "../../../state/certificates.ts";
import type { SecretBox } from "../../secret-box.ts";
import { makeSerial } from "../../serial.ts";
import type { CertificatePair } from "../certificate-facts.ts";
import { readNamedFile } from "../named-file.ts";
import { certFailure, failureOf } from "../problem.ts";
import type { TlsSettings } from "../tls-schema.ts";
import type { Challenges } from "./challenges.ts";
import { fulfilOrder, type OrderDraft } from "./order.ts";
import { makeAcmeRequest } from "./transport.ts";

export interface Authority {
  /** Throws `certificate.failed`, `certificate.unusable`, `secret.*`, and the signal's reason. */
  issue(domain: string, draft: OrderDraft, signal: AbortSignal): Promise<CertificatePair>;
}

export interface AuthorityParts {
  readonly rows: Pick<CertificateRows, "account" | "putAccount">;
  readonly box: SecretBox;
  readonly settings: () => TlsSettings;
  readonly resolve: Resolver;
  readonly challenges: Challenges;
  readonly clock: Clock;
  readonly log: Log;
}

export function makeAuthority({
  rows,
  box,
  settings,
  resolve,
  challenges,
  clock,
  log,
}: AuthorityParts): Authority {
  /** Two orders at once must not make two accounts. */
  const oneByOne = makeSerial();

  /** With the account that the authority knows. */
  async function openClient(signal: AbortSignal): Promise<Client> {
    const {
      acme_directory: directory,
      acme_email: email = null,
      acme_ca_file: caFile,
      ...binding
    } = settings();
    const { Client, crypto } = await import("acme-client");
    const ca = caFile === undefined ? {} : { ca: readNamedFile("acme_ca_file", caFile) };
    const http = makeHttpClient(makeHttpOpener({ resolve, ...ca }), clock);
    return oneByOne(async () => {
      const known = rows.account(directory);
      const key =
        known === undefined
          ? (await crypto.createPrivateEcdsaKey()).toString()
          : box.open(known.key, accountPurpose(directory));
      const sealed = known?.key ?? box.seal(key, accountPurpose(directory));
      if (known === undefined) rows.putAccount({ directory, url: null, email: null, key: sealed });
      const client = new Client({
        directoryUrl: directory,
        accountKey: key,
        ...bindingOf(binding),
        ...(known?.url === null || known === undefined ? {} : { accountUrl: known.url }),
      });
      speakBy(client, makeAcmeRequest(http, clock, signal));
      if (known?.url !== undefined && known.url !== null && known.email === email) return client;
      const contact = email === null ? [] : [`mailto:${email}`];
      if (known?.url === undefined || known.url === null)
        await client.createAccount({ termsOfServiceAgreed: true, contact });
      else await client.updateAccount({ contact });
      rows.putAccount({ directory, url: client.getAccountUrl(), email, key: sealed });
      return client;
    });
  }

  async function attempt(domain: string, draft: OrderDraft, signal: AbortSignal): Promise<CertificatePair> {
    const { crypto } = await import("acme-client");
    return fulfilOrder(domain, draft, {
      client: await openClient(signal),
      challenges,
      clock,
      signal,
      newKey: async () => (await crypto.createPrivateEcdsaKey()).toString(),
      requestFor: async (name, key) => (await crypto.createCsr({ altNames: [name] }, key))[1],
    });
  }

  /** The authority does not know who we are any more: with the same key we become somebody again. */
  function forgetAccount(draft: OrderDraft): void {
    draft.drop();
    const account = rows.account(settings().acme_directory);
    if (account !== undefined) rows.putAccount({ ...account, url: null });
  }

  async function known(domain: string, draft: OrderDraft, signal: AbortSignal): Promise<CertificatePair> {
    try {
      return await attempt(domain, draft, signal);
    } catch (error) {
      if (failureOf(error).type !== "accountDoesNotExist") throw error;
      forgetAccount(draft);
      return attempt(domain, draft, signal);
    }
  }

  return {
    async issue(domain, draft, signal) {
      const deadline = new AbortController();
      const cancel = clock.after(LIMITS.certOrderMs, () => deadline.abort(undecided()));
      try {
        return await known(domain, draft, AbortSignal.any([signal, deadline.signal]));
      } catch (error) {
        if (signal.aborted || isVoxError(error)) throw error;
        if (deadline.signal.aborted) throw deadline.signal.reason;
        // The library takes what the authority says for granted.
        log.debug("an authority's answer was not understood", { domain, stack: stackOf(error) });
        throw certFailure(
          { problem: "refused", message: `the authority's answer can't be used: ${messageOf(error)}` },
          error,
        );
      } finally {
        cancel();
      }
    },
  };
}

export function accountPurpose(directory: string): string {
  return `acme-account:${directory}`;
}

// --- internal ---

function undecided(): Error {
  const minutes = LIMITS.certOrderMs / 60_000;
  return certFailure({
    problem: "unavailable",
    message: `the authority did not decide within ${minutes} minutes`,
  });
}

/** What makes a new account that of a customer. */
function bindingOf({
  acme_eab_kid: kid,
  acme_eab_key_file: file,
}: Pick<TlsSettings, "acme_eab_kid" | "acme_eab_key_file">): Pick<ClientOptions, "externalAccountBinding"> {
  if (kid === undefined || file === undefined) return {};
  return { externalAccountBinding: { kid, hmacKey: readNamedFile("acme_eab_key_file", file).trim() } };
}

/** The library has no way to be given another HTTP client but for the whole program. */
function speakBy(client: Client, request: ReturnType<typeof makeAcmeRequest>): void {
  const { http } = client as unknown as { readonly http: { request: unknown } };
  if (typeof http.request !== "function") throw new Error("acme-client has no request to replace");
  http.request = request;
}
