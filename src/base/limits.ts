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
  uploadDepth: 64,
  /** Of a .voxeltronignore: it is matched against every path, and two stars between slashes try all the ways to divide it. */
  ignoreBytes: 64 * KIB,
  ignoreRules: 1_000,
  ignoreGlobstars: 100,
  ignoreGlobstarsPerRule: 2,
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
  /** Resident memory of the bundler's process. */
  bundleMemoryBytes: 1024 * MIB,

  /** One message between the daemon and a room, either way. */
  messageBytes: 8 * MIB,
  /** Values in it, and levels of nesting: parsing it must not hold the daemon up. */
  messageValues: 50_000,
  messageDepth: 200,
  guestMemoryPages: 1024,
  /** What a WASM module may have of the things that its engine keeps outside the linear memory. */
  wasmFunctions: 100_000,
  wasmImports: 1_000,
  wasmExports: 10_000,
  wasmTables: 8,
  wasmTableElements: 65_536,
  wasmTagParams: 8,
  /** Blocks of Extism's memory that a module holds at a time, and bytes in all of them. */
  extismBlocks: 65_536,
  extismBytes: 64 * MIB,
  /** Buffers in one read or write of WASI, and subscriptions in one poll. */
  wasiVectors: 1_024,
  /** Messages to which there is no answer, log lines and cancels, that a guest may send: more of them are no guest of ours. */
  guestNotices: 5_000,
  guestNoticesPerSecond: 1_000,
  guestStackBytes: 256 * KIB,
  /** Resident memory of a plugin's process, its engine included, and how long loading may take beside the plugin's own time. */
  processMemoryBytes: 384 * MIB,
  processLoadMs: 3 * SECOND,
  /** Messages that pass, and time that a module works, until a plugin's process collects what is left of it. */
  processGarbageBytes: 8 * MIB,
  processGarbageMs: 50,
  /** Between the end of a process and the end of its socket, whichever comes first. */
  processCloseMs: 500,
  /** How often is looked at the processor time of a plugin's process that has no call; and of one that did nothing lately. */
  freeLookMs: 500,
  freeSlowLookMs: 2 * SECOND,
  /** The code goes into a process in pieces. */
  codeFrameBytes: 1 * MIB,
  guestTimers: 1_000,
  guestPendingCalls: 100,
  /** Of one plugin, where the operator says nothing else: five seconds' worth at once. */
  callsPerSecond: 1_000,
  callBytesPerSecond: 16 * MIB,
  /** What it follows or is connected to, and how far each of these is read ahead of it. */
  streamsPerPlugin: 32,
  streamAheadItems: 256,
  streamAheadChars: 1 * MIB,
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
  /** So many stops of a Worker's guest within strikeWindowMs, and the plugin moves to a process of its own. */
  strikesMax: 3,
  /** Pause before a room is opened again, by how many in a row died or did not open. */
  roomPauseMs: [0, 0, 100, 500, 1 * SECOND],
  /** In a row, before the plugin is suspended; then it may try once, after the first entry, the second … */
  roomFailuresMax: 5,
  suspendMs: [30 * SECOND, 1 * MINUTE, 2 * MINUTE, 5 * MINUTE, 10 * MINUTE],
  /** Log lines that a new version writes before it takes the place of the old one. */
  heldLogLines: 100,
  /** Versions of a plugin that can be gone back to. */
  pluginVersionsKept: 3,
  /** A watched folder is read when nothing happened in it for so long, and looked at so often where the system says nothing. */
  watchQuietMs: 30,
  watchLongestMs: 1 * SECOND,
  watchLookMs: 2 * SECOND,

  /** Between two looks at the memory of confined processes: while one of them moves, and once all were still for so many looks. */
  confinedLookMs: 25,
  confinedSlowLookMs: 200,
  confinedStillLooks: 40,
  /**
   * What the engine reserves for the linear memory of one module, as data: four gigabytes and as much again as a guard. Without it
   * each growth would copy the whole memory: 1,000 pages take 20 s instead of 30 ms.
   */
  wasmReservedBytes: 8300 * MIB,
  /** Addresses of a confined process: even pages that are only read, and so count nowhere, need tables in the kernel (64 MiB for these). */
  confinedAddressBytes: 32 * 1024 * MIB,
  /** Threads of a confined process, beside two for each processor (threads-max.ts). */
  confinedThreads: 64,
  /** What the kernel lets a confined process have as data beyond its limit of resident memory: much of it is never touched. */
  confinedDataSlackBytes: 384 * MIB,
  /** Kept of what a child says before it is sealed. */
  confinedStderrBytes: 8 * KIB,

  /** An executable that is over its time has so long to end by itself; one that ended, for the last of its output. */
  execGraceMs: 2 * SECOND,
  execDrainMs: 1 * SECOND,
  /** Lines of its standard error that an error shows. */
  execLastWords: 5,

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
