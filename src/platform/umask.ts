/**
 * Runs synchronous work under another umask, which is the whole process's: nothing else may create files meanwhile. Called by
 * the daemon while it opens its socket and its state; instances get the umask that the daemon was started with.
 */
export function withUmask<T>(mask: number, work: () => T): T {
  const before = process.umask(mask);
  try {
    return work();
  } finally {
    process.umask(before);
  }
}
