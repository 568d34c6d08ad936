/** What the proxy wants of whoever keeps certificates. Until somebody does, there are none. Filled in by the daemon. */

export interface Certificates {
  /** For a host, in lower case and without a port; undefined: there is none. Asked at each handshake that was not seen lately. */
  find(host: string): CertificatePem | undefined;
  /** Told when what `find` says may have changed; the returned function ends that. */
  changed(listener: () => void): () => void;
}

/** PEM: the chain, and its private key. */
export interface CertificatePem {
  readonly cert: string;
  readonly key: string;
}

/** What to answer below `/.well-known/acme-challenge/`; undefined: the token is not ours. */
export type Challenge = (token: string) => string | undefined;

export const noCertificates: Certificates = { find: () => undefined, changed: () => () => {} };
