/** A line of /proc/PID/stat, taken apart. For those who look at processes: the providers' and the plugins'. Pure. */

/**
 * Its fields from the state on, which is field 3 of proc(5) and the first here. The name before it may hold anything, brackets and
 * blanks too, so they are counted from its end.
 *
 * @example statFields("4711 (a) (b) S 1 4711")[0] // "S"
 */
export function statFields(line: string): string[] {
  return line.slice(line.lastIndexOf(")") + 2).split(" ");
}
