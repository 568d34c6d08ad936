/**
 * The log of one service: lines of all its versions, in the order in which they were read, and how far each instance was read.
 * Both are written together, so that after a crash no line is missing and none is there twice. Called by logs.ts, read.ts and
 * collector.ts.
 */
import { makeSerial } from "../serial.ts";
import type { LogBatch } from "../providers/provider.ts";
import { openSegments, type Segments } from "./segments.ts";
import { parsePositions, storedLines, storedPositions } from "./stored-line.ts";

export interface LogStore extends Pick<Segments, "first" | "end" | "readFrom" | "readBefore"> {
  /** Where to go on reading the version's instance; undefined: nothing of it is here. */
  position(version: number): string | undefined;
  append(version: number, batch: LogBatch): Promise<void>;
  /** The instance is gone, or is made anew. */
  forget(version: number): void;
  /** Resolves at the next change, or when the store is closed. */
  changed(): Promise<void>;
  isClosed(): boolean;
  close(): Promise<void>;
}

export interface StoreOptions {
  readonly dir: string;
  readonly maxBytes: () => number;
  /** Takes secret values out of what is written. */
  readonly redact: (text: string) => string;
}

export async function openStore({ dir, maxBytes, redact }: StoreOptions): Promise<LogStore> {
  const segments = await openSegments(dir, maxBytes);
  const positions = parsePositions(segments.lastLine());
  const serial = makeSerial();
  let news = Promise.withResolvers<void>();
  let closed = false;

  function tell(): void {
    news.resolve();
    news = Promise.withResolvers();
  }

  return {
    first: () => segments.first(),
    end: () => segments.end(),
    readFrom: (cursor, bytes) => segments.readFrom(cursor, bytes),
    readBefore: (cursor, bytes) => segments.readBefore(cursor, bytes),
    position: (version) => positions.get(version),
    append: (version, { parts, position }) =>
      serial(async () => {
        if (closed) return;
        const next = new Map(positions).set(version, position);
        // Redacted before it is cut into lines: a value may have several.
        const lines = parts.map((part) => storedLines({ ...part, text: redact(part.text) }, version));
        await segments.append(
          Buffer.from(lines.join("") + storedPositions(next)),
          storedPositions(positions),
        );
        positions.set(version, position);
        tell();
      }),
    forget: (version) => void positions.delete(version),
    changed: () => (closed ? Promise.resolve() : news.promise),
    isClosed: () => closed,
    close: () =>
      serial(async () => {
        closed = true;
        tell();
        await segments.close();
      }),
  };
}
