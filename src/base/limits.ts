/** Every bound in one place, so that "is there a limit on X?" has one answer. Bytes and milliseconds. */
const KIB = 1024;
const MIB = 1024 * KIB;
const SECOND = 1000;
const MINUTE = 60 * SECOND;

export const LIMITS = {
  /** What the CLI may upload (CONTRACTS of the API: a bounded tar stream). */
  pluginUploadBytes: 64 * MIB,
  appUploadBytes: 1024 * MIB,
  uploadFiles: 20_000,
  uploadTtlMs: 10 * MINUTE,
  requestBodyBytes: 4 * MIB,

  manifestBytes: 256 * KIB,
  configBytes: 1 * MIB,
  pluginSourceBytes: 16 * MIB,
  bundleBytes: 16 * MIB,
  bundleMs: 30 * SECOND,

  /** One message between the daemon and a room, either way. */
  messageBytes: 8 * MIB,
  guestMemoryPages: 1024,
  guestStackBytes: 256 * KIB,
  guestTimers: 1_000,
  guestPendingCalls: 100,
  hookDefaultMs: 10 * SECOND,
  hookMaxMs: 10 * MINUTE,
  pluginIdleMs: 5 * MINUTE,
  roomStartMs: 10 * SECOND,

  logTextChars: 8 * KIB,
  logRowsPerPlugin: 5_000,
  kvKeyChars: 256,
  kvValueBytes: 256 * KIB,
  kvBytesPerPlugin: 8 * MIB,

  fetchBodyBytes: 6 * MIB,
  fetchMs: 30 * SECOND,
  fetchRedirects: 5,
  fetchConcurrent: 16,

  terminalTextChars: 200,
  errorTextChars: 2_000,

  deliveryAttempts: 5,
  deliveryBackoffMs: [1 * SECOND, 5 * SECOND, 30 * SECOND, 2 * MINUTE, 5 * MINUTE],
  eventRowsKept: 100_000,

  healthMs: 60 * SECOND,
  healthIntervalMs: 250,
  /** A service without a port counts as healthy after running this long. */
  settleMs: 3 * SECOND,
  stopGraceMs: 10 * SECOND,
  shutdownMs: 15 * SECOND,
  instanceLogBytes: 32 * MIB,
  execStdinBytes: 1 * MIB,
} as const;
