/**
 * Finds the place by which everybody on the machine could change what a folder holds: on the way to it, in it, or below it. Looks at
 * modes alone; whoever owns a folder or shares a group with it is not everybody. Called by host/drop-in/.
 */
import { lstatSync, realpathSync } from "node:fs";
import { lstat, readdir } from "node:fs/promises";
import { dirname, join } from "node:path";
import { LIMITS } from "../../base/limits.ts";

/** On the way from the root to `path`, as it is written and with links resolved. `uid`: who trusts it. Throws what the system says where it is not there. */
export function exposureAbove(path: string, uid: number): string | undefined {
  return [path, realpathSync(path)].map((each) => exposureOn(each, uid)).find((place) => place !== undefined);
}

/** What is in the folder itself. A link has the rights of what it points at, which is looked at where it is. */
export async function exposureBelow(folder: string): Promise<string | undefined> {
  const waiting = [folder];
  for (let seen = 0; seen <= LIMITS.uploadFiles * 2;) {
    const next = waiting.pop();
    if (next === undefined) return undefined;
    for (const name of await readdir(next)) {
      const path = join(next, name);
      const found = await lstat(path).catch(() => undefined);
      seen += 1;
      if (found === undefined || found.isSymbolicLink()) continue;
      if ((found.mode & EVERYBODY) !== 0) return path;
      if (found.isDirectory()) waiting.push(path);
    }
  }
  return undefined;
}

// --- internal ---

const EVERYBODY = 0o002;
const STICKY = 0o1000;

function exposureOn(path: string, uid: number): string | undefined {
  const way = [path];
  for (let at = path; at !== dirname(at); at = dirname(at)) way.unshift(dirname(at));
  return way.find((place, index) => isExposed(place, way[index + 1], uid));
}

/** In a sticky folder such as /tmp, all may make things, and only their owners replace them. */
function isExposed(place: string, next: string | undefined, uid: number): boolean {
  const found = lstatSync(place);
  const { mode } = found;
  if (found.isSymbolicLink() || (mode & EVERYBODY) === 0) return false;
  if ((mode & STICKY) === 0 || next === undefined) return true;
  const owner = lstatSync(next).uid;
  return owner !== 0 && owner !== uid;
}
