/** The bounds of metrics; a part of limits.ts, which is where they are read. Milliseconds. */
const SECOND = 1000;
const MINUTE = 60 * SECOND;

export const METRIC_LIMITS = {
  /**
   * What measuring one instance may take, and how many of a provider's are measured at a time. Docker's engine reads its counters once a
   * second and answers all who asked meanwhile together: one after the other they would wait a second each.
   */
  statsMs: 5 * SECOND,
  statsConcurrent: 50,
  metricsIntervalMinMs: 1 * SECOND,
  metricsIntervalMaxMs: 60 * SECOND,
  /** Rows of each of the three tables of metrics, of all services together: about 100 MB. */
  metricRowsMax: 2_500_000,
  /** Rows that are written, or forgotten, in one go: the daemon's thread does nothing else meanwhile. */
  metricRowsAtOnce: 100,
  /** So many times metricRowsAtOnce rows of each table are forgotten in one interval, one after the other with turns for others between. */
  metricPruneSteps: 200,
  /** Whether a service is still there is looked at once in so many intervals. */
  metricPruneRounds: 60,
  /** After a jump of the clock nothing is forgotten for so long: the time may be wrong, and be put right. */
  metricClockTrustMs: 10 * MINUTE,
  metricClockJumpMs: 30 * SECOND,
  metricPoints: 5_000,
} as const;
