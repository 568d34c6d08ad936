/**
 * The host's own functions as they were before a plugin ran. In a process the plugin lives in the same world as what carries its
 * messages, and the prelude takes the place of these names: so whatever runs beside a plugin uses them from here.
 */
import type { Clock } from "../../../base/clock.ts";

const web = {
  URL,
  Blob,
  TextEncoder,
  TextDecoder,
  setTimeout,
  clearTimeout,
  crypto,
  performance,
  Bun,
};

/* eslint-disable typescript/unbound-method -- each is bound or free */
export const NativeURL = web.URL;
export const NativeBlob = web.Blob;
export const NativeTextEncoder = web.TextEncoder;
export const NativeTextDecoder = web.TextDecoder;
export const NativeHasher = web.Bun.CryptoHasher;
export const nativeSetTimeout: typeof setTimeout = web.setTimeout;
export const nativeClearTimeout: typeof clearTimeout = web.clearTimeout;
export const randomValues: typeof crypto.getRandomValues = web.crypto.getRandomValues.bind(web.crypto);
export const randomId: typeof crypto.randomUUID = web.crypto.randomUUID.bind(web.crypto);
export const monotonicNow: () => number = web.performance.now.bind(web.performance);
export const collectGarbage: typeof Bun.gc = web.Bun.gc.bind(web.Bun);
export const { parse: parseJson, stringify: stringifyJson } = JSON;

/** The clock for what runs beside a plugin. */
export const nativeClock: Pick<Clock, "monotonic" | "after"> = {
  monotonic: monotonicNow,
  after(ms, task) {
    const timer = nativeSetTimeout(task, ms);
    return () => nativeClearTimeout(timer);
  },
};
