/**
 * The listener of `[metrics] listen`: answers GET /metrics and nothing else. Follows the configuration: another address takes the
 * place of the old one, and where that can't be had the old one stays. Composed by the daemon.
 */
import { fail, messageOf, systemCode, type VoxError } from "../../base/errors.ts";
import type { Log } from "../../base/log.ts";
import { formatAddress, type Address } from "../edge/address.ts";
import { EXPOSITION_TYPE, expositionText, type Family } from "./exposition.ts";

export interface Exporter {
  /** Listens where the configuration says, or nowhere. Throws `metrics.listen_failed`. */
  open(): void;
  /** The same after a reload: what fails is logged once, and nothing changes. */
  follow(): void;
  close(): void;
}

export interface ExporterDeps {
  readonly address: () => Address | undefined;
  readonly families: () => readonly Family[] | Promise<readonly Family[]>;
  readonly log: Log;
}

export function makeExporter({ address, families, log }: ExporterDeps): Exporter {
  let server: Bun.Server<undefined> | undefined;
  let current: Address | undefined;
  let refused = "";

  /** The old one goes first: one address may cover the other. */
  function move(to: Address | undefined): void {
    const from = current;
    void server?.stop(true);
    try {
      server = to === undefined ? undefined : listen(to, families);
      current = to;
    } catch (error) {
      server = from === undefined ? undefined : listen(from, families);
      throw error;
    }
    if (to !== undefined) log.info("metrics are offered", { url: `http://${formatAddress(to)}/metrics` });
  }

  return {
    open: () => move(address()),
    follow() {
      const wanted = address();
      if (textOf(wanted) === textOf(current)) refused = "";
      else if (textOf(wanted) !== refused)
        try {
          move(wanted);
        } catch (error) {
          refused = textOf(wanted);
          log.error("metrics can't be offered at the new address", { error: messageOf(error) });
        }
    },
    close: () => void server?.stop(true),
  };
}

// --- internal ---

function textOf(address: Address | undefined): string {
  return address === undefined ? "" : formatAddress(address);
}

function listen(address: Address, families: ExporterDeps["families"]): Bun.Server<undefined> {
  try {
    return Bun.serve({
      hostname: address.host,
      port: address.port,
      async fetch(request) {
        if (URL.parse(request.url)?.pathname !== "/metrics")
          return new Response("metrics are at /metrics\n", { status: 404 });
        if (request.method !== "GET" && request.method !== "HEAD")
          return new Response("metrics are only read\n", { status: 405, headers: { allow: "GET, HEAD" } });
        return new Response(expositionText(await families()), {
          headers: { "content-type": EXPOSITION_TYPE },
        });
      },
      error: () => new Response("the metrics can't be read now\n", { status: 500 }),
    });
  } catch (error) {
    throw listenError(address, error);
  }
}

function listenError(address: Address, error: unknown): VoxError {
  const code = systemCode(error) ?? "";
  const reason = REASONS[code] ?? messageOf(error);
  return fail(
    "metrics.listen_failed",
    `the metrics can't be offered at ${formatAddress(address)}: ${reason}`,
    {
      hint: "choose another address in [metrics] listen, or leave it out",
      cause: error,
    },
  );
}

const REASONS: Readonly<Record<string, string>> = {
  EADDRINUSE: "another program listens there",
  EADDRNOTAVAIL: "this host has no such address",
  EACCES: "the daemon's user may not open that port",
};
