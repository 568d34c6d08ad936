/** The bounds of certificates; a part of limits.ts, which is where they are read. Bytes and milliseconds. */
const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

export const CERTIFICATE_LIMITS = {
  /** How often it is looked which domains want one, at their files, and at what is served. */
  certLookMs: 1 * MINUTE,
  certFilesMs: 10 * SECOND,
  certWatchMs: HOUR,
  /** One look at what is served, and how many at a time. */
  certServedMs: 10 * SECOND,
  certServedAtOnce: 10,
  /** Domains that are looked after at a time. */
  certOrdersAtOnce: 4,
  /** One attempt to get a certificate, one request of it, and its answer. */
  certOrderMs: 5 * MINUTE,
  certRequestMs: 30 * SECOND,
  certAnswerBytes: 1024 * 1024,
  /** Between two looks at what an authority has not decided yet. */
  certPollMinMs: 500,
  certPollMaxMs: 10 * SECOND,
  /** After the first, second … failure in a row; fewer than five in the first hour, as authorities count. */
  certRetryMs: [2 * MINUTE, 10 * MINUTE, 30 * MINUTE, HOUR, 3 * HOUR, 6 * HOUR, 12 * HOUR, DAY],
  /** An authority's wish to be left alone is honoured up to this. */
  certHoldMs: 14 * DAY,
  selfSignedMs: 397 * DAY,
  /** Less than this, or a sixth of its life where that is less, is left of a served certificate: an alert. */
  certAlertMs: 14 * DAY,
  certFileBytes: 256 * 1024,
} as const;
