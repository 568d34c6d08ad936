/**
 * Follows symbolic links in memory, before any of them exists. Comparing the text of a target is not enough: two links that
 * each look harmless can lead out together. Pure; called by unpack-tar.ts.
 */
import { fail } from "../../base/errors.ts";
import { quote } from "../../base/text.ts";

/** `links`: path of each link in the folder → its target. Throws `upload.invalid` for one that leads out of the folder. */
export function checkLinks(links: ReadonlyMap<string, string>): void {
  for (const [path, target] of links) {
    if (target === "" || /\p{Cc}/u.test(target))
      throw fail("upload.invalid", `the symbolic link ${quote(path)} has no usable target`);
    if (!staysInside(path, links))
      throw fail(
        "upload.invalid",
        `the symbolic link ${quote(path)} leads out of the folder, to ${quote(target)}`,
      );
  }
}

// --- internal ---

/** As many as Linux follows. */
const STEPS_MAX = 40;

function staysInside(start: string, links: ReadonlyMap<string, string>): boolean {
  const waiting = start.split("/").toReversed();
  const here: string[] = [];
  let steps = 0;
  for (let part = waiting.pop(); part !== undefined; part = waiting.pop()) {
    if (part === "" || part === ".") continue;
    if (part === "..") {
      if (here.pop() === undefined) return false;
      continue;
    }
    here.push(part);
    const target = links.get(here.join("/"));
    if (target === undefined) continue;
    if (target.startsWith("/")) return false;
    if (++steps > STEPS_MAX) return true; // a loop: the system refuses to follow it
    here.pop();
    waiting.push(...target.split("/").toReversed());
  }
  return true;
}
