/** What the plain and the encrypted listener have in common. Called by both, and by proxy.ts. */
import { fail, messageOf, systemCode, type VoxError } from "../../base/errors.ts";
import { formatAddress, type Address } from "../edge/address.ts";

export interface Listener {
  readonly port: number;
  /** Takes no more connections; those that there are go on. */
  stop(): void;
}

export function failedListen(address: Address, error: unknown): VoxError {
  const reason = REASONS[systemCode(error) ?? ""] ?? messageOf(error);
  return fail("proxy.listen_failed", `the proxy can't listen at ${formatAddress(address)}: ${reason}`, {
    hint: "choose another address in [proxy], or leave it out",
    cause: error,
  });
}

// --- internal ---

const REASONS: Readonly<Record<string, string>> = {
  EADDRINUSE: "another program listens there",
  EADDRNOTAVAIL: "this host has no such address",
  EACCES: "the daemon's user may not open that port",
};
