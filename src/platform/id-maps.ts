/**
 * Which user and group ids there are in this process's user namespace. In a container without root on its host there are often
 * only 65,536 or just one, and becoming any other fails. Asked before a process is started as such a user.
 */
import { readFileSync } from "node:fs";

/** True where all ids from `first` to `last` are mapped, as users and as groups; and where there is no such thing as a map. */
export function areIdsMapped(first: number, last: number): boolean {
  return readMaps().every((map) => coversIds(map, first, last));
}

/** True where there is any id from `first` on. */
export function areIdsMappedFrom(first: number): boolean {
  return readMaps().every((map) => spansOf(map).some(({ to }) => to >= first));
}

/** `map`: lines of "first id inside, first id outside, count". A range may be covered by several of them. */
export function coversIds(map: string, first: number, last: number): boolean {
  let next = first;
  for (const { from, to } of spansOf(map)) if (from <= next && to >= next) next = to + 1;
  return next > last;
}

// --- internal ---

interface Span {
  readonly from: number;
  readonly to: number;
}

function spansOf(map: string): Span[] {
  return map
    .split("\n")
    .map((line) => line.trim().split(/\s+/).map(Number))
    .filter((numbers) => numbers.length === 3)
    .map(([inside = 0, , count = 0]) => ({ from: inside, to: inside + count - 1 }))
    .toSorted((a, b) => a.from - b.from);
}

function readMaps(): string[] {
  return ["/proc/self/uid_map", "/proc/self/gid_map"].map(readMap).filter((map) => map !== undefined);
}

function readMap(file: string): string | undefined {
  try {
    return readFileSync(file, "latin1");
  } catch {
    return undefined;
  }
}
