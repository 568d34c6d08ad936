/**
 * As which user a plugin's processes run: one id for each plugin, so that none can touch another's, out of `[plugins] uid_range`.
 * The first of the range is the bundler's. Decides and keeps; who becomes that user is the confined process itself.
 */
import { fail } from "../base/errors.ts";
import type { PluginUidRows } from "../state/plugin-uids.ts";

export interface UidRange {
  readonly first: number;
  readonly last: number;
}

export interface Users {
  /** Asked each time, so that a reload counts for the processes that are started after it. */
  readonly range: () => UidRange;
  /** False where nobody else can be become: then all processes stay what this one is. */
  readonly canChangeUid: boolean;
  readonly areIdsMapped: (first: number, last: number) => boolean;
}

/**
 * The id of a plugin, the same at every call until it is removed or the range is moved away from it; undefined where users can't be
 * changed. Throws `config.invalid` where the range has no id left, or ids that do not exist here.
 */
export type UidFor = (plugin: string) => number | undefined;

export function makeUidFor(rows: PluginUidRows, users: Users): UidFor {
  return (plugin) => {
    if (!users.canChangeUid) return undefined;
    const usable = usableRange(users);
    const before = rows.get(plugin);
    if (before !== undefined && before > usable.first && before <= usable.last) return before;
    const uid = freeUid(usable, rows.taken());
    rows.put(plugin, uid);
    return uid;
  };
}

/** No plugin has this one. Throws as a `UidFor` does. */
export function bundlerUid(users: Users): number | undefined {
  return users.canChangeUid ? usableRange(users).first : undefined;
}

// --- internal ---

function usableRange({ range, areIdsMapped }: Users): UidRange {
  const { first, last } = range();
  if (areIdsMapped(first, last)) return { first, last };
  throw fail("config.invalid", `[plugins] uid_range has ids that do not exist here: ${first} to ${last}`, {
    hint: "the daemon is in a user namespace: choose ids that /proc/self/uid_map and /proc/self/gid_map have",
    details: { first, last },
  });
}

/** The lowest that nobody has. `taken` is in order. */
function freeUid({ first, last }: UidRange, taken: readonly number[]): number {
  let candidate = first + 1;
  for (const uid of taken) if (uid === candidate) candidate++;
  if (candidate <= last) return candidate;
  throw fail("config.invalid", `[plugins] uid_range has no id left: ${first} to ${last}`, {
    hint: "one is the bundler's, and each plugin needs one of its own: widen the range",
    details: { first, last },
  });
}
