/** Every bound in one place, so that "is there a limit on X?" has one answer. Bytes and milliseconds. */
const KIB = 1024;
const MIB = 1024 * KIB;
const SECOND = 1000;
const MINUTE = 60 * SECOND;

export const LIMITS = {
  /** What the CLI may upload: a bounded tar stream. */
  pluginUploadBytes: 64 * MIB,
  appUploadBytes: 1024 * MIB,
  uploadFiles: 20_000,
  uploadTtlMs: 10 * MINUTE,
  uploadPathBytes: 1024,
  /** sun_path has 108 bytes with its NUL on Linux, 104 on macOS. */
  socketPathBytes: 103,
  requestBodyBytes: 4 * MIB,
  /** What a client reads of one answer, and of one line of a streamed answer. */
  answerBytes: 64 * MIB,
  answerLineBytes: 8 * MIB,

  manifestBytes: 256 * KIB,
  configBytes: 1 * MIB,
  pluginSourceBytes: 16 * MIB,
  bundleBytes: 16 * MIB,
  bundleMs: 30 * SECOND,
  /** What the bundler's process may have in use, and how often that is looked at. */
  bundleMemoryBytes: 1024 * MIB,
  bundleMemoryLookMs: 50,

  /** One message between the daemon and a room, either way. */
  messageBytes: 8 * MIB,
  /** Values in it, and levels of nesting: parsing it must not hold the daemon up. */
  messageValues: 50_000,
  messageDepth: 200,
  guestMemoryPages: 1024,
  guestStackBytes: 256 * KIB,
  guestTimers: 1_000,
  guestPendingCalls: 100,
  guestPendingBytes: 16 * MIB,
  /** Characters on their way to a Worker that has not come to read them. All of fetchHeldBytes fits in, as base64. */
  guestUnreadChars: 64 * MIB,
  hookDefaultMs: 10 * SECOND,
  hookMaxMs: 10 * MINUTE,
  pluginIdleMs: 5 * MINUTE,
  roomStartMs: 10 * SECOND,
  /** How long past its deadline a room may take to say that it stopped its guest. */
  /** How long a Worker may take to say that its guest is still, before it is terminated. */
  workerLeaveMs: 200,
  /** How long its thread stays after that: compiling that was begun for it must end, or no guest gets its fruits. */
  workerLingerMs: 500,
  roomGraceMs: 5 * SECOND,
  /**
   * How long what runs may go on where something else takes its place: a plugin's call when it is replaced, disabled or the
   * daemon stops; connections to the old version of a service after the switch.
   */
  drainMs: 10 * SECOND,
  /** A draining connection on which the service spoke last and nothing was said for so long is idle, and is ended. */
  drainQuietMs: 1 * SECOND,
  strikeWindowMs: 10 * MINUTE,

  logTextChars: 8 * KIB,
  logRowsPerPlugin: 5_000,
  /** Of the log, in the answer of a `plugin call`; and lines read at once for who follows it. */
  callLogLines: 500,
  callLogChars: 1 * MIB,
  logLinesAtOnce: 100,
  auditRowsPerPlugin: 20_000,
  kvKeyChars: 256,
  kvValueBytes: 256 * KIB,
  kvBytesPerPlugin: 8 * MIB,
  kvKeysPerPlugin: 10_000,
  /** A plugin's log lines beyond this are counted, not kept. */
  logBurst: 500,
  logPerSecond: 100,
  /** Audit rows of refused calls beyond this are counted, not kept. */
  refusalBurst: 100,
  refusalsPerSecond: 5,

  /** As base64 a body must fit into one message. */
  fetchBodyBytes: 5 * MIB,
  /** Bodies that one plugin's calls hold in the daemon at a time, both ways together. */
  fetchHeldBytes: 32 * MIB,
  fetchHeaderBytes: 64 * KIB,
  fetchHeaders: 100,
  fetchUrlChars: 8 * KIB,
  fetchMs: 30 * SECOND,
  fetchRedirects: 5,
  fetchConcurrent: 16,
  /** Addresses of one name that are tried before giving up. */
  connectAttempts: 4,

  notifyTitleChars: 200,
  notifyTextChars: 4_000,
  /** One attempt; a second follows after notifyRetryMs. */
  notifyMs: 10 * SECOND,
  notifyRetryMs: 500,

  terminalTextChars: 200,
  errorTextChars: 2_000,

  deliveryAttempts: 5,
  deliveryBackoffMs: [1 * SECOND, 5 * SECOND, 30 * SECOND, 2 * MINUTE, 5 * MINUTE],
  eventRowsKept: 100_000,

  healthMs: 60 * SECOND,
  /** Between two looks at a new instance; grows from the first to the last. */
  healthIntervalsMs: [25, 50, 100, 250],
  /** A service without a port counts as healthy after running this long. */
  settleMs: 3 * SECOND,
  healthMaxMs: 60 * MINUTE,
  healthAttemptMs: 5 * SECOND,
  /** A port proxy accepts before the application listens: a connection counts once it stayed open this long. */
  tcpSettleMs: 50,
  stopGraceMs: 10 * SECOND,
  /** What a provider may take: to say how an instance is, to create or start one, to remove one that is not wanted. */
  providerStatusMs: 2 * SECOND,
  providerWorkMs: 2 * MINUTE,
  providerDestroyMs: 30 * SECOND,
  reconcileBackoffMs: [1 * SECOND, 5 * SECOND, 30 * SECOND],
  /** Log lines that a failed deploy shows. */
  deployLogLines: 20,
  versionsKept: 5,
  deploysKept: 100,
  envValueBytes: 128 * KIB,
  deploysShown: 10,
  shutdownMs: 15 * SECOND,
  /** What requests have to end by themselves once the daemon has stopped its work. */
  lastAnswersMs: 500,
  instanceLogBytes: 32 * MIB,
  /** A longer line of a log is shown in pieces. */
  logLineBytes: 1 * MIB,
  /** How long an engine may think about a question, and about work such as making a container. */
  engineAskMs: 10 * SECOND,
  engineWorkMs: 2 * MINUTE,
  /** Pause before a crashed process is started again: doubles up to the maximum, and starts over after a good run. */
  restartFirstMs: 1 * SECOND,
  restartMaxMs: 1 * MINUTE,
  restartGoodRunMs: 1 * MINUTE,
  instancePollMs: 1 * SECOND,
  execStdinBytes: 1 * MIB,
} as const;
