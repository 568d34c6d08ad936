/** The bounds of executables, as hooks and as providers: a part of LIMITS, where everybody looks for them. Bytes and milliseconds. */
const SECOND = 1000;
const MINUTE = 60 * SECOND;

export const EXECUTABLE_LIMITS = {
  /** Of an executable, which has to be started each time. */
  execDefaultMs: 30 * SECOND,
  /** Of a provider that is an executable: to create may mean to pull an image. */
  execCreateMs: 10 * MINUTE,
  /** And the most that its author, or the operator, may give an action. */
  execActionMaxMs: 60 * MINUTE,
  /** An executable that is over its time has so long to end by itself; one that ended, for the last of its output. */
  execGraceMs: 2 * SECOND,
  execDrainMs: 1 * SECOND,
  /** Lines of its standard error that an error shows. */
  execLastWords: 5,
  /** Of one provider, at a time: what changes instances, what looks at them, and commands inside them. */
  providerChangesAtOnce: 16,
  providerLooksAtOnce: 8,
  providerExecsAtOnce: 8,
  /**
   * Between two looks at services on providers that start nothing again by themselves; and, where creating broke off, until what came of
   * it is removed once more.
   */
  unattendedLookMs: 15 * SECOND,
  lateCreateMs: 30 * SECOND,
  /** Lines of a log that are asked for at once, looks at one without a pause, and what a position may have. */
  providerLogLines: 2_000,
  providerLogLooks: 100,
  providerPositionChars: 256,
  /** Pauses between two looks at a log that nobody can follow, the longer the more often nothing came. */
  providerLogRestMs: [1 * SECOND, 2 * SECOND, 5 * SECOND, 10 * SECOND],
} as const;
