/**
 * The network family: `net.fetch`, which the guest knows as the global `fetch`, and `net.connect`. It decides where a plugin may go
 * and how much it may move; the clients below it hold the connections. Called by catalogue.ts.
 */
import type { Method } from "./method.ts";
import { connectMethod } from "./net-connect.ts";
import { fetchMethod } from "./net-fetch.ts";
import type { NetOptions } from "./net-options.ts";

export function netMethods(options: NetOptions): readonly Method[] {
  return [fetchMethod(options), connectMethod(options)];
}
