/** Pauses that grow: the one of this index, and behind the last one that again. Pure. */
export function waitAt(waits: readonly number[], index: number): number {
  return waits[Math.max(0, Math.min(index, waits.length - 1))] ?? 0;
}
