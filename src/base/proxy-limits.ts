/** The bounds of the reverse proxy; a part of limits.ts, which is where they are read. Bytes and milliseconds. */
const KIB = 1024;
const MIB = 1024 * KIB;
const SECOND = 1000;

export const PROXY_LIMITS = {
  /** Of a request, and of an answer: the head, and what is asked for in it. */
  proxyHeadBytes: 32 * KIB,
  proxyTargetBytes: 16 * KIB,
  proxyFields: 100,
  proxyChunkExtensionBytes: 256,
  proxyTrailerBytes: 8 * KIB,
  /** What a client sends behind a request that is not answered yet, before it is read no further. */
  proxyAheadBytes: 64 * KIB,
  /** How long a client may take for a head, and for the handshake before it; rest between requests; say nothing of a body; read nothing of an answer. */
  proxyHeadMs: 15 * SECOND,
  proxyIdleMs: 75 * SECOND,
  proxyBodyIdleMs: 60 * SECOND,
  proxyStallMs: 60 * SECOND,
  /** After the last answer on a connection, until it is cut. */
  proxyLingerMs: 2 * SECOND,
  /** What is under way when the daemon stops. */
  proxyCloseMs: 2 * SECOND,
  /** Between two looks at these deadlines. */
  proxyLookMs: 500,
  proxyConnectMs: 5 * SECOND,
  /** A service that refuses the connection is tried again after each of these; after the last, without waiting for so long. */
  proxyConnectPausesMs: [25, 50, 100, 200, 400],
  proxyDownMs: 1 * SECOND,
  /** How long a service may take until its answer begins, unless the configuration says otherwise. */
  proxyResponseMs: 60 * SECOND,
  /** Connections to one instance that wait for the next request, and how long; for one that must not be sent twice. */
  proxyIdleUpstreams: 256,
  proxyIdleUpstreamMs: 4 * SECOND,
  proxyYoungMs: 250,
  /** Of the files that the daemon may have open: what clients may take, and what requests on their way to services may. */
  proxyClientShare: 0.6,
  proxyWorkShare: 0.3,
  /** Where clients are too many, so many are looked at to find one that is idle. */
  proxyCrowdLooks: 100,
  /** Encrypted connections that are not agreed on yet. */
  proxyHandshakes: 1_000,
  /** Certificates that are kept ready for handshakes. */
  proxyContexts: 10_000,
  /** Of an encrypted connection that speaks HTTP/2: requests at a time, and those given up within a second before it is cut. */
  proxyStreams: 100,
  proxyResetsPerSecond: 100,
  /** Lines of the access log that wait for the disk, and how long. */
  accessLogBytes: 4 * MIB,
  accessLogMs: 200,
} as const;
