/** How long the daemon keeps others waiting while somebody misbehaves. */
import type { Client } from "../../src/api/client.ts";

/** What the daemon may keep anybody waiting for, whatever a plugin does. */
export const ANSWER_MS = 50;
/** A machine that others use may hold up both for a moment; it does not do so three times in a row. */
export const ATTEMPTS = 3;

/** The longest that somebody else waited for an answer while `work` was under way. `look` is called between two questions. */
export async function longestWait(
  client: Client,
  work: Promise<unknown>,
  look: () => void = () => {},
): Promise<number> {
  let longest = 0;
  const over = work.then(() => true);
  do {
    const asked = performance.now();
    await client.call("daemon.info", {});
    longest = Math.max(longest, performance.now() - asked);
    look();
  } while (!(await Promise.race([over, Bun.sleep(2)])));
  return longest;
}
