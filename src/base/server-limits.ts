/** Bounds of what is asked of other machines. Beside limits.ts, which has those of everything else. */
import { LIMITS } from "./limits.ts";

export const SERVER_LIMITS = {
  /** To connect to the engine of a server, encryption included; and what is waited for one that is looked at. */
  connectMs: 5_000,
  lookMs: 6_000,
  /** What an engine's answer may have that is no stream: a list of some thousand containers has a few megabytes. */
  answerBytes: 32 * 1024 * 1024,
  /** Each of the three files of its certificates. */
  fileBytes: LIMITS.caFileBytes,
  /** Ports that are tried for an instance until one is free. */
  portsTried: 10,
} as const;
