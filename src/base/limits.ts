/** Every bound in one place, so that "is there a limit on X?" has one answer. Bytes and milliseconds. */
import { PROXY_LIMITS } from "./proxy-limits.ts";
import { EXECUTABLE_LIMITS } from "./executable-limits.ts";
import { CERTIFICATE_LIMITS } from "./certificate-limits.ts";
import { METRIC_LIMITS } from "./metric-limits.ts";

const KIB = 1024;
const MIB = 1024 * KIB;
const SECOND = 1000;
const MINUTE = 60 * SECOND;

export const LIMITS = {
  ...EXECUTABLE_LIMITS,
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

  manifestBytes: 64 * KIB,
  /** Of one capability: each is compared with each of a grant and of a ceiling. */
  scopeEntries: 100,
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
  /** Of each second, the milliseconds in which one plugin's calls may have the daemon for themselves; five seconds' worth at once. */
  callMsPerSecond: 250,
  /** What each item of an answer that is a list counts beside its characters. */
  callItemBytes: 128,
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
  /** How long a Worker may take to say that its guest is still, before it is terminated. */
  workerLeaveMs: 200,
  /** How long its thread stays after that: compiling that was begun for it must end, or no guest gets its fruits. */
  workerLingerMs: 500,
  /** How long past its deadline a room may take to say that it stopped its guest. */
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
  /** Plugins in one folder of drop-ins that are looked at; what comes after them is told of. */
  dropInsPerFolder: 200,
  /** Versions of a plugin that can be gone back to. */
  pluginVersionsKept: 3,
  /** Entries of a folder that are looked at to see whether any was touched: several times what a plugin may have. */
  fingerprintEntries: 200_000,
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
  /** What the runtime of a confined process has open itself, some, and what a plugin may hold of timers and the like. */
  confinedOpenFiles: 64,
  /** What the kernel lets a confined process have as data beyond its limit of resident memory: much of it is never touched. */
  confinedDataSlackBytes: 384 * MIB,
  /** Kept of what a child says before it is sealed. */
  confinedStderrBytes: 8 * KIB,

  logTextChars: 8 * KIB,
  logRowsPerPlugin: 5_000,
  /** Of these; a line and its fields may have 56 KiB. */
  logBytesPerPlugin: 16 * MIB,
  /** Of the log, in the answer of a `plugin call`; and lines read at once for who follows it. */
  callLogLines: 500,
  callLogChars: 1 * MIB,
  logLinesAtOnce: 100,
  auditRowsPerPlugin: 20_000,
  /** Targets that are shown of one method; how often is looked which day it is; days of which is known whether the daemon ran. */
  auditTargetsShown: 3,
  watchedDayMs: 60 * MINUTE,
  watchedDaysKept: 400,
  /** A capability that was not used on so many of them is offered for withdrawal. */
  unusedDays: 30,
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
  /** Of one guest, with their advice, for the error that may come of them. */
  refusalsRemembered: 20,

  /** As base64 a body must fit into one message. */
  fetchBodyBytes: 5 * MIB,
  /** Bodies that one plugin's calls hold in the daemon at a time, both ways together. */
  fetchHeldBytes: 32 * MIB,
  fetchHeaderBytes: 64 * KIB,
  fetchHeaders: 100,
  fetchUrlChars: 8 * KIB,
  /** For an answer as a whole, or for the head of one that is read as it comes. */
  fetchMs: 30 * SECOND,
  /** An answer that is read as it comes: all of it, and the longest time for it. */
  fetchStreamBytes: 64 * MIB,
  fetchStreamMs: 10 * MINUTE,
  /** One that is no larger, and is there so soon after its head, goes to the plugin in one message all the same. */
  fetchFirstBytes: 1 * MIB,
  fetchFirstMs: 20,
  /** What a plugin's response collects for text(), json() and bytes(): its memory has to hold it several times. */
  fetchCollectBytes: 8 * MIB,
  /** Such an answer, and a connection, end where nothing moves for so long: nothing comes, or nothing is read. */
  transferIdleMs: 1 * MINUTE,
  connectionsPerPlugin: 16,
  connectMs: 10 * SECOND,
  connectionMs: 60 * MINUTE,
  /** Each way, and of what is written in one message. */
  connectionBytes: 256 * MIB,
  connectionPieceBytes: 1 * MIB,
  fetchRedirects: 5,
  fetchConcurrent: 16,
  /** For one try at one name server, and how many tries there are; what a plugin asks for has its own longest time. */
  dnsTryMs: 2 * SECOND,
  dnsTries: 3,
  /** Addresses of one name that are looked at, and those that are tried before giving up. */
  addressesOfName: 64,
  connectAttempts: 4,

  /** A plugin's paths: PATH_MAX and NAME_MAX of Linux, and names in one of them. */
  filePathBytes: 4096,
  fileNameBytes: 255,
  fileDepth: 32,
  /** Read, written or appended in one call: as base64 it must fit into one message. */
  fileCallBytes: 5 * MIB,
  /** Calls of one plugin that touch the disk at a time; the others wait. */
  fileConcurrent: 4,
  /** Entries in one answer, four values each. */
  filesListed: 10_000,
  /** Of a folder itself, as the file system keeps it: far more than filesListed, and the most that is read into memory. */
  folderBytes: 16 * MIB,
  /** All of `files/`, unless the configuration says otherwise, and the part of it that one plugin may fill. */
  filesBytes: 1024 * MIB,
  filesCount: 10_000,
  filesShare: 0.5,
  /** A plugin's writing leaves free on the disk what is less of the two: a part of it, and bytes. */
  diskFloorShare: 0.05,
  diskFloorBytes: 512 * MIB,
  /** How old the sums of `files/` may be, and how young where they refuse something. */
  filesMeasuredMs: 10 * MINUTE,
  filesRefusedMs: 5 * SECOND,

  notifyTitleChars: 200,
  notifyTextChars: 4_000,
  /** What the operator writes as a template, and placeholders in it. */
  notifyTemplateChars: 8_000,
  notifyPlaceholders: 50,
  /** One attempt; another follows after each of the pauses, or after what the endpoint asks for where that is longer. */
  notifyMs: 10 * SECOND,
  notifyRetryMs: [500, 2 * SECOND],
  /** An endpoint that asks for a longer pause is not waited for. */
  notifyRetryAfterMs: 30 * SECOND,
  /** Notifications of one plugin at once; then so many a minute as the configuration says. */
  notifyBurst: 10,
  notifyPerMinute: 30,
  /** One attempt at a mail; of that, until the server has greeted and the connection is encrypted. */
  mailMs: 20 * SECOND,
  mailConnectMs: 10 * SECOND,
  mailGoodbyeMs: 500,
  mailAnswerBytes: 64 * KIB,
  mailRecipients: 50,
  /** A file that holds one secret, and one that holds certificates. */
  secretFileBytes: 4 * KIB,
  caFileBytes: 1 * MIB,

  terminalTextChars: 200,
  errorTextChars: 2_000,

  deliveryAttempts: 5,
  /** How long a gate waits until its plugin has heard of what happened before. */
  gateBehindMs: 10 * SECOND,
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
  /** Rules of alerts, and how long holding them against what was measured may hold the daemon up at a time. */
  alertRules: 1_000,
  alertSliceMs: 5,
  /** An alert is over when all was well for as long as its rule says, at most so long. */
  alertCalmMs: 1 * MINUTE,
  alertLookMs: 10 * SECOND,
  alertResolvedKept: 200,
  /** Services that were not measured, of whose state providers are asked at a time. */
  alertStatesAsked: 25,
  /** What a channel that is down has waiting; what is older is let go of. */
  alertNoticesPerChannel: 100,
  alertNoticeBackoffMs: [1 * MINUTE, 5 * MINUTE, 15 * MINUTE, 60 * MINUTE],
  alertSilenceMaxMs: 365 * 24 * 60 * MINUTE,
  /** Built-in alerts: a service is down for so long; it restarted so often within a time; the disk is so full; a plugin is in trouble. */
  alertDownMs: 60 * SECOND,
  alertRestarts: 3,
  alertRestartsWithinMs: 10 * MINUTE,
  alertDiskPercent: 90,
  alertPluginMs: 60 * SECOND,
  deploysKept: 100,
  envValueBytes: 128 * KIB,
  secretsPerService: 500,
  /** What is shorter can't be told from other text, and is left as it is in logs. */
  secretRedactedChars: 4,
  /** Of a secret of several lines, a line that is longer is taken out of logs by itself too. */
  secretLineChars: 8,
  /** Values of a service that were replaced since the daemon started: what runs may still print them. */
  secretsRemembered: 20,
  deploysShown: 10,
  shutdownMs: 15 * SECOND,
  /** What requests have to end by themselves once the daemon has stopped its work. */
  lastAnswersMs: 500,
  /** What an instance's provider keeps of its output until it is taken into the service's log. */
  instanceLogBytes: 32 * MIB,
  /** A service's log on disk, unless the configuration says otherwise; and the least that it may say. */
  serviceLogBytes: 64 * MIB,
  serviceLogLeastBytes: 8 * MIB,
  /** A longer line of a log is kept in pieces. */
  logLineBytes: 1 * MIB,
  logSearchChars: 1_000,
  /** Between two looks at the output of a process. */
  logLookMs: 100,
  /** Silent for so long, an instance has said what it had to say; nobody waits longer than the second for that. */
  logQuietMs: 150,
  logSettleMs: 2 * SECOND,
  /** Between two looks at an instance that has ended; and the pauses where its output can't be read. */
  logRestMs: [10 * SECOND, 1 * SECOND, 5 * SECOND, 10 * SECOND],
  /** Lines in an answer to a plugin, and what they may have together as JSON. */
  logLinesRead: 5_000,
  /** Of one plugin. */
  logQueriesAtOnce: 2,
  logLinesReadBytes: 6 * MIB,
  /** How long an engine may think about a question, and about work such as making a container. */
  engineAskMs: 10 * SECOND,
  engineWorkMs: 2 * MINUTE,
  /** What a plugin is shown of containers: how many, ports of each in the list, parts of one that is looked at, characters of a text. */
  dockerListed: 1_000,
  dockerPortsShown: 5,
  dockerShown: 50,
  dockerTextChars: 256,
  dockerEventChars: 1 * MIB,
  /** Between the two readings that make a share of the processors, at least: many engines take one a second. */
  dockerMeasureMs: 250,
  /** What plugins' containers have where they do not say, and what they have at most. */
  dockerContainersPerPlugin: 20,
  dockerVolumesPerPlugin: 20,
  dockerMemoryBytes: 512 * MIB,
  dockerMemoryMaxBytes: 8 * 1024 * MIB,
  dockerCpus: 1,
  dockerCpusMax: 16,
  dockerProcesses: 512,
  dockerArgs: 100,
  dockerArgChars: 4 * KIB,
  dockerEnvValueChars: 32 * KIB,
  dockerMounts: 10,
  dockerPorts: 20,
  /** Pause before a crashed process is started again: doubles up to the maximum, and starts over after a good run. */
  restartFirstMs: 1 * SECOND,
  restartMaxMs: 1 * MINUTE,
  restartGoodRunMs: 1 * MINUTE,
  instancePollMs: 1 * SECOND,
  /** A workspace that was started must still run after so long; its ports, each of them; and how many are asked for their status at a time. */
  workspaceSettleMs: 300,
  workspacePorts: 50,
  workspacesAsked: 25,
  execStdinBytes: 1 * MIB,

  ...PROXY_LIMITS,
  ...METRIC_LIMITS,
  ...CERTIFICATE_LIMITS,
} as const;
