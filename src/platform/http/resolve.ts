/** Name look-up by the machine's own resolver (hosts file included). The only place that asks it for plugins and channels. */
import { lookup } from "node:dns/promises";

/** Every address that the name has now, in the resolver's order; rejects where it has none. */
export type Resolver = (host: string) => Promise<readonly string[]>;

export const systemResolver: Resolver = async (host) =>
  (await lookup(host, { all: true })).map(({ address }) => address);
