/** The bounds of `plugin check`, which runs in no daemon: beside those of limits.ts. Bytes and milliseconds. */
export const CHECK_LIMITS = {
  /** Told at once of one document. */
  documentProblems: 30,
  /** What one call of a program or hook gets, unless it is told; and one that only cleans up. */
  callMs: 2 * 60_000,
  clearMs: 10_000,
  /** One call that is late may be about one action; after so many nobody waits for more. */
  lateCalls: 2,
  /** Traces of a kind that are named, and calls of a plugin that are remembered. */
  tracesShown: 5,
  uses: 10_000,
} as const;
