/**
 * The log of a container as lines, also after it ended. A follower stays over restarts: the engine ends the stream at
 * each, so it is opened again behind the last line that was seen. Called by provider.ts.
 */
import type Docker from "dockerode";
import type { Clock } from "../../../base/clock.ts";
import type { InstanceStatus, LogLine, LogOptions } from "../provider.ts";
import { containerStatus } from "./container-status.ts";
import { engineTime } from "./engine-time.ts";
import { engineStatus } from "./errors.ts";
import { makeFrameReader } from "./frames.ts";
import { makeLineJoiner } from "./log-lines.ts";

export async function* readContainerLogs(
  container: Docker.Container,
  options: LogOptions,
  clock: Clock,
): AsyncGenerator<LogLine> {
  const { signal } = options;
  let next: LogOptions = options;
  let last = "";
  for (;;) {
    try {
      for await (const line of readOnce(container, next)) {
        const at = line.at ?? "";
        // What begins at the last stamp begins with the line that had it.
        if (next !== options && at <= last) continue;
        yield line;
        if (at > last) last = at;
      }
    } catch (error) {
      if (isLeaving(error, next !== options)) return;
      throw error;
    }
    if (!next.follow || signal.aborted) return;
    const state = await stateOf(container);
    if (state === "missing") return;
    // When it has ended, once more without following: the engine may end the stream before the last line.
    const follow = state !== "exited";
    next = last === "" ? { ...options, follow } : { follow, signal, tail: undefined, since: last };
    if (follow) await clock.sleep(REOPEN_MS, signal).catch(() => {});
  }
}

// --- internal ---

const REOPEN_MS = 250;

/** The container is being removed, or was since its log was opened first: the end of its log, as when it is replaced. */
function isLeaving(error: unknown, wasThere: boolean): boolean {
  const status = engineStatus(error);
  return status === 409 || (status === 404 && wasThere);
}

async function* readOnce(container: Docker.Container, options: LogOptions): AsyncGenerator<LogLine> {
  const lines: LogLine[] = [];
  const joiner = makeLineJoiner((line) => lines.push(line));
  const read = makeFrameReader((stream, frame) => joiner.add(stream, frame));
  for await (const chunk of openLog(container, options)) {
    read(chunk);
    yield* lines.splice(0);
  }
  joiner.finish();
  yield* lines;
}

/** The bytes of the log. Closes the connection however the reader leaves; ends quietly at the signal. */
async function* openLog(container: Docker.Container, options: LogOptions): AsyncGenerator<Uint8Array> {
  const { follow, tail, since, signal } = options;
  if (signal.aborted) return;
  const query = {
    stdout: true,
    stderr: true,
    timestamps: true,
    abortSignal: signal,
    ...(tail === undefined ? {} : { tail }),
    ...(since === undefined ? {} : { since: engineTime(since) }),
  };
  let stop = (): void => {};
  try {
    if (follow) {
      const stream = (await container.logs({ ...query, follow: true })) as NodeJS.ReadableStream & Closeable;
      stop = () => stream.destroy();
      // Without a listener, the "aborted" of a connection that we end ourselves would be an uncaught exception.
      stream.on("error", () => {});
      signal.addEventListener("abort", stop, { once: true });
      for await (const chunk of stream) yield chunk as Buffer;
    } else {
      yield await container.logs({ ...query, follow: false });
    }
  } catch (error) {
    if (!signal.aborted) throw error;
  } finally {
    signal.removeEventListener("abort", stop);
    stop();
  }
}

interface Closeable {
  destroy(): void;
}

async function stateOf(container: Docker.Container): Promise<InstanceStatus["state"]> {
  try {
    return containerStatus(await container.inspect()).state;
  } catch (error) {
    if (engineStatus(error) === 404) return "missing";
    throw error;
  }
}
