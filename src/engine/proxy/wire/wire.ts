/**
 * One connection, plain or encrypted, as the proxy sees it: bytes both ways, and a way to say "not so fast". Whoever owns it is told
 * what comes; it may be handed on to another owner. Made by plain-wire.ts and stream-wire.ts.
 */

export interface Wire {
  owner: WireOwner;
  /** Takes all of it. False: it has not all left, and `drain` will be told when it has. */
  write(bytes: Uint8Array): boolean;
  /** Nothing is read meanwhile; the end of the connection may go unnoticed. Harmless when repeated, as are all that follow. */
  pause(): void;
  resume(): void;
  /** Says that no more will come, once all that was written has left. */
  end(): void;
  /** At once; what has not left is lost, and the other side is told that it was cut. */
  destroy(): void;
  readonly closed: boolean;
  /** An IP address; IPv4 as such also where it came in by IPv6. */
  readonly remote: string;
}

export interface WireOwner {
  data(bytes: Buffer): void;
  drain(): void;
  /** The other side will say no more. */
  end(): void;
  /** Nothing more comes or goes. */
  close(): void;
}

/** For one that nobody listens to any more. */
export const NOBODY: WireOwner = { data() {}, drain() {}, end() {}, close() {} };

export function plainAddress(address: string | undefined): string {
  const text = address ?? "unknown";
  return text.startsWith("::ffff:") && text.includes(".") ? text.slice(7) : text;
}
