/**
 * Text that comes from outside and goes to a person: a manifest, a plugin, a network answer.
 * Nothing here trusts its input; everything printed from a third party passes `printable`.
 */
import { LIMITS } from "./limits.ts";

/**
 * One line without control, bidirectional or invisible formatting characters, cut at `max` characters.
 * A manifest must not be able to move the cursor, colour the prompt or hide what it asks for.
 */
export function printable(text: string, max: number = LIMITS.terminalTextChars): string {
  // Only a head that is surely long enough is looked at: the text may be megabytes that a plugin sent.
  const head = text.slice(0, 4 * max);
  const clean = head.replaceAll(/[\t\n\r\u2028\u2029]+/g, " ").replaceAll(/[\p{Cc}\p{Cf}\p{Co}\p{Cs}]/gu, "");
  const chars = [...clean];
  return chars.length <= max && head.length === text.length ? clean : `${chars.slice(0, max - 1).join("")}…`;
}

/** A quoted, printable copy for an error message. */
export function quote(text: string): string {
  return `"${printable(text, 80)}"`;
}

/** The same for a path, of which the end matters. */
export function quotePath(path: string): string {
  return `"${printable(path, LIMITS.uploadPathBytes)}"`;
}

/** The candidate that was probably meant, or nothing: at most a third of the letters differ. */
export function didYouMean(found: string, candidates: readonly string[]): string | undefined {
  const ranked = candidates
    .map((name) => ({ name, distance: editDistance(found.toLowerCase(), name.toLowerCase()) }))
    .toSorted((a, b) => a.distance - b.distance);
  const best = ranked[0];
  return best !== undefined && best.distance <= Math.max(1, Math.floor(found.length / 3))
    ? best.name
    : undefined;
}

/** Advice about a name that is not known: the one that was probably meant, else all that there are. */
export function nameAdvice(found: string, known: readonly string[]): string {
  const meant = didYouMean(found, known);
  return meant === undefined ? `there are: ${known.join(", ")}` : `did you mean ${meant}?`;
}

/** "4 MiB", "512 B": binary units, one decimal where it says something. */
export function formatBytes(bytes: number): string {
  const units = ["B", "KiB", "MiB", "GiB", "TiB"];
  let value = bytes;
  let unit = 0;
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024;
    unit++;
  }
  return `${Number.isInteger(value) ? value : value.toFixed(1)} ${units[unit]}`;
}

// --- internal ---

function editDistance(a: string, b: string): number {
  if (a.length > 64 || b.length > 64) return Number.POSITIVE_INFINITY;
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const change = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(change, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}
