/**
 * The log of a container from a position on. The engine ends the stream at each restart, so it is opened again behind the last
 * message that was read; a reader that is slow slows the engine's sending, not the container. Called by provider.ts.
 */
import type Docker from "dockerode";
import type { Clock } from "../../../base/clock.ts";
import { lostText } from "../log-text.ts";
import type { InstanceStatus, LogBatch, LogOptions } from "../provider.ts";
import { containerStatus } from "./container-status.ts";
import { engineStatus } from "./errors.ts";
import { formatLogPosition, parseLogPosition, type LogPosition } from "./log-position.ts";
import { makeLogReader, type LogReader } from "./log-reader.ts";

export async function* readContainerLogs(
  container: Docker.Container,
  { from, look, signal }: LogOptions,
  clock: Clock,
): AsyncGenerator<LogBatch> {
  let position = parseLogPosition(from);
  let wasThere = false;
  for (let follow = look?.follow ?? true; !signal.aborted;) {
    const reader = makeLogReader(position);
    const since = sinceOf(position, clock.now());
    const tail = position === undefined ? look?.tail : undefined;
    const query = { ...QUERY, since, tail, abortSignal: signal };
    try {
      const stream = follow ? followed(container, query, reader, clock) : once(container, query, reader);
      for await (const batch of stream) {
        wasThere = true;
        yield batch;
      }
    } catch (error) {
      if (signal.aborted || isLeaving(error, wasThere)) return;
      throw error;
    }
    if (signal.aborted) return;
    wasThere = true;
    if (position !== undefined && (reader.isLost() || (!follow && reader.isBehind()))) {
      yield lostBatch(position);
      position = undefined;
      continue;
    }
    position = reader.position();
    if (!follow) return;
    const state = await stateOf(container);
    if (state === "missing") return;
    // When it has ended, once more without following: the engine may end the stream before the last line.
    follow = state !== "exited";
    if (follow) await clock.sleep(REOPEN_MS, signal).catch(() => {});
  }
}

// --- internal ---

const REOPEN_MS = 250;
/** After so long without a message the engine is asked whether there is one; then less and less often. */
const SILENCE_MS = 2_000;
const LONGEST_SILENCE_MS = 64_000;
const DELIVERY_MS = 500;
const LAST_QUERY = { stdout: true, stderr: true, timestamps: true, tail: 1 } as const;
const QUERY = { stdout: true, stderr: true, timestamps: true } as const;
/** How much earlier is asked for, so that what was read last is met again, and the beginning of a line without end. */
const OVERLAP_MS = 2_000;
/** Characters that wait for a slow reader before the engine is asked to wait. */
const HELD_CHARS = 64 * 1024;

interface Query {
  readonly stdout: true;
  readonly stderr: true;
  readonly timestamps: true;
  readonly since: string | undefined;
  readonly tail: number | undefined;
  readonly abortSignal: AbortSignal;
}

/** Seconds since 1970, or nothing: where the clock was put back, a time says nothing. */
function sinceOf(position: LogPosition | undefined, nowMs: number): string | undefined {
  const ms = Date.parse(position?.stamp ?? "");
  return ms <= nowMs ? ((ms - OVERLAP_MS) / 1000).toFixed(3) : undefined;
}

function lostBatch(position: LogPosition): LogBatch {
  const part = { stream: "stderr", atMs: Date.parse(position.stamp), text: lostText() } as const;
  return { parts: [part], position: formatLogPosition(position) };
}

/** The container is being removed, or was since its log was opened first: the end of its log, as when it is replaced. */
function isLeaving(error: unknown, wasThere: boolean): boolean {
  const status = engineStatus(error);
  return status === 409 || (status === 404 && wasThere);
}

async function* once(container: Docker.Container, query: Query, reader: LogReader): AsyncGenerator<LogBatch> {
  reader.add(await container.logs({ ...defined(query), follow: false }));
  const batch = reader.finish();
  if (batch !== undefined) yield batch;
}

/** Closes the connection however the reader leaves. */
async function* followed(
  container: Docker.Container,
  query: Query,
  reader: LogReader,
  clock: Clock,
): AsyncGenerator<LogBatch> {
  let silenceMs = SILENCE_MS;
  const stream = (await container.logs({ ...defined(query), follow: true })) as NodeJS.ReadableStream &
    Closeable;
  let news = Promise.withResolvers<void>();
  let isOver = false;
  let failure: unknown;
  function end(error?: unknown): void {
    failure ??= error;
    isOver = true;
    news.resolve();
  }
  const stop = (): void => stream.destroy();
  // Without a listener, the "aborted" of a connection that we end ourselves would be an uncaught exception.
  stream.on("error", end);
  for (const event of ["end", "close"]) stream.on(event, () => end());
  query.abortSignal.addEventListener("abort", stop, { once: true });
  stream.on("data", (chunk: Buffer) => {
    try {
      reader.add(chunk);
    } catch (error) {
      end(error);
    }
    if (reader.waiting() >= HELD_CHARS) stream.pause();
    news.resolve();
  });
  try {
    for (;;) {
      const batch = reader.take();
      if (batch !== undefined) {
        yield batch;
        stream.resume();
        silenceMs = SILENCE_MS;
      } else if (isOver || reader.isLost()) break;
      else if (await within(news.promise, silenceMs, clock)) news = Promise.withResolvers();
      else if (await isStuck(container, reader, clock)) break;
      else silenceMs = Math.min(2 * silenceMs, LONGEST_SILENCE_MS);
    }
    if (failure !== undefined && !query.abortSignal.aborted) throw failure;
  } finally {
    query.abortSignal.removeEventListener("abort", stop);
    stop();
  }
}

/** Some engines forget who follows a log while its files change places. The last message alone costs them little. */
async function isStuck(container: Docker.Container, reader: LogReader, clock: Clock): Promise<boolean> {
  const known = reader.position()?.stamp ?? "";
  const last = makeLogReader(undefined);
  try {
    last.add(await container.logs({ ...LAST_QUERY, follow: false }));
  } catch {
    // The stream itself says what is wrong.
    return false;
  }
  const stamp = last.position()?.stamp ?? "";
  if (stamp === known) return false;
  // It may be on its way.
  await clock.sleep(DELIVERY_MS);
  return (reader.position()?.stamp ?? "") === known;
}

async function within(news: Promise<void>, ms: number, clock: Clock): Promise<boolean> {
  const { promise: silence, resolve } = Promise.withResolvers<boolean>();
  const cancel = clock.after(ms, () => resolve(false));
  const came = await Promise.race([news.then(() => true), silence]);
  cancel();
  return came;
}

interface Closeable {
  destroy(): void;
}

function defined({ since, tail, ...query }: Query): Omit<Query, "since" | "tail"> & {
  readonly since?: string;
  readonly tail?: number;
} {
  return {
    ...query,
    ...(since === undefined ? {} : { since }),
    ...(tail === undefined ? {} : { tail }),
  };
}

async function stateOf(container: Docker.Container): Promise<InstanceStatus["state"]> {
  try {
    return containerStatus(await container.inspect()).state;
  } catch (error) {
    if (engineStatus(error) === 404) return "missing";
    throw error;
  }
}
