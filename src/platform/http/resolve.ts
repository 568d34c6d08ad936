/**
 * Name look-up by the machine's own resolver (hosts file included), for names that the operator chose. It holds a thread of the pool
 * until it ends: names that a plugin chose go by name-resolver.ts.
 */
import { lookup } from "node:dns/promises";

/** Every address that the name has now, in the resolver's order; rejects where it has none. The signal may end it. */
export type Resolver = (host: string, signal?: AbortSignal) => Promise<readonly string[]>;

export const systemResolver: Resolver = async (host) =>
  (await lookup(host, { all: true })).map(({ address }) => address);
