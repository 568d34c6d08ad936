/**
 * The only place that names Worker entry files. It stands beside main.ts because after bundling every `import.meta.url` is main's:
 * from a nested module the compiled executable would look for the entry in the wrong place.
 */

/** A Worker for one JavaScript plugin. Its environment is empty; it does not keep the daemon alive. */
export function startJsWorker(): Worker {
  return new Worker(new URL("./host/runtimes/js-worker/worker.ts", import.meta.url), {
    env: {},
    ref: false,
  });
}
