/** `ctx.net`: connections for protocols other than HTTP. For HTTP a plugin has the global `fetch`. Both need `network_outbound`. */

/**
 * Public addresses of the hosts that were granted; others only where the operator's `[network] allow_private` names them. At most 16
 * connections at a time, 256 MiB each way, an hour, and a minute without a byte; all end with the plugin's room.
 *
 * @example
 * const connection = await ctx.net.connect({ host: "redis.example.com", port: 6380, tls: true });
 * await connection.write("PING\r\n");
 * const answer = await connection.read();
 * ctx.log.info("redis answered", { bytes: answer?.length ?? 0 });
 * await connection.close();
 */
export interface PluginNetwork {
  /**
   * Resolves when the connection is there; with `tls`, when the certificate is one of a known authority for that host.
   *
   * Rejects with `capability.denied`, `capability.out_of_scope` (host or address), `capability.limit`, `network.failed` or
   * `network.timeout`.
   */
  connect(options: ConnectOptions): Promise<Connection>;
}

export interface ConnectOptions {
  /** A name or an address. */
  readonly host: string;
  /** 1–65535. */
  readonly port: number;
  /** TLS from the first byte on; false where nothing is said. */
  readonly tls?: boolean;
}

/** Bytes both ways, no faster than they are taken. Iterating reads; who stops iterating may go on reading and writing. */
export interface Connection extends AsyncIterable<Uint8Array> {
  /** What has come, once something has; null when the other side has ended, or the connection is closed. */
  read(): Promise<Uint8Array | null>;
  /** Text is sent as UTF-8. Resolves when the system has taken all of it. */
  write(data: string | Uint8Array): Promise<void>;
  /** Harmless when repeated. */
  close(): Promise<void>;
}
