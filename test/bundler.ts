/** The bundler as the daemon has it, for tests: in a confined process, as whoever runs the tests. */
import { systemClock } from "../src/base/clock.ts";
import { makeBundler, type BundlePlugin } from "../src/host/bundle/bundle-plugin.ts";
import { makeStartConfined } from "../src/platform/confine/confined-process.ts";

export const bundlePlugin: BundlePlugin = makeBundler({
  start: makeStartConfined({ clock: systemClock }),
  clock: systemClock,
  uid: () => undefined,
  confined: () => true,
});
