/** How a plugin's call ended and how long it held this thread up, for tests of rooms. */
import { isVoxError } from "../src/base/errors.ts";

export async function outcome(
  work: Promise<unknown>,
): Promise<{ code: string; message: string; details: Record<string, unknown> }> {
  try {
    return { code: "ok", message: JSON.stringify(await work), details: {} };
  } catch (error) {
    if (!isVoxError(error)) throw error;
    return { code: error.code, message: error.message, details: { ...error.details } };
  }
}

/** The longest time that the event loop of this thread stood still while `work` ran. */
export async function longestGap(work: () => Promise<void>): Promise<number> {
  let longest = 0;
  let last = performance.now();
  const timer = setInterval(() => {
    longest = Math.max(longest, performance.now() - last);
    last = performance.now();
  }, 1);
  try {
    await work();
    await Bun.sleep(2);
  } finally {
    clearInterval(timer);
  }
  return longest;
}
