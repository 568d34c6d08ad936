/** The daemon's parts in this process, behind its real socket, in a folder of their own. */
import { join } from "node:path";
import { operations, type OperationName } from "../../../src/api/operations.ts";
import { serve } from "../../../src/api/serve.ts";
import { systemClock } from "../../../src/base/clock.ts";
import { silentLog } from "../../../src/base/log.ts";
import { compose, type Parts } from "../../../src/daemon/compose.ts";
import { loadConfig } from "../../../src/daemon/config.ts";
import { openToGroup, prepareSocket } from "../../../src/daemon/listener.ts";
import { mkdirSync } from "node:fs";

export interface TestDaemon {
  readonly parts: Parts;
  readonly socket: string;
  /** The body's text; empty for a stream on which nothing came. */
  ask(operation: OperationName, input: unknown): Promise<string>;
  [Symbol.asyncDispose](): Promise<void>;
}

export async function startDaemon(folder: string): Promise<TestDaemon> {
  const dataDir = join(folder, "data");
  mkdirSync(dataDir, { mode: 0o700 });
  const environment = { HOME: folder, VOXELTRON_PROVIDERS_DEFAULT: "process" };
  const config = loadConfig({ dataDir }, environment, process.getuid?.() ?? 0);
  const parts = compose({ config: () => config, log: silentLog, clock: systemClock });
  await parts.start();
  await prepareSocket(config.socket);
  const server = openToGroup(config.socket, () =>
    serve(parts, { socket: config.socket, dataDir, log: silentLog }),
  );
  return {
    parts,
    socket: config.socket,
    async ask(operation, input) {
      const isStream = operations[operation].mode === "stream";
      try {
        const response = await fetch(`http://voxeltron/v1/${operation}`, {
          unix: config.socket,
          method: "POST",
          body: JSON.stringify(input),
          signal: AbortSignal.timeout(isStream ? STREAM_MS : UNARY_MS),
        });
        return await response.text();
      } catch (error) {
        if (isStream && (error as Error).name === "TimeoutError") return "";
        throw error;
      }
    },
    async [Symbol.asyncDispose]() {
      await server.stop(100);
      await parts.drain();
      parts.close();
    },
  };
}

// --- internal ---

/** What is followed has no end of its own. */
const STREAM_MS = 200;
const UNARY_MS = 20_000;
