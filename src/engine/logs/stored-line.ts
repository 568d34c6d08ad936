/**
 * How lines stand in the files of a service's log, so that a person finds them with grep too: `TIME oVERSION TEXT`, `e` for what
 * came from stderr. Lines with `#` say how far each instance has been read; with the lines before them they are true or both are
 * gone. Pure. Called by store.ts and match.ts.
 */
import { timestamp } from "../../base/clock.ts";
import type { LogLevel } from "../../base/log.ts";
import type { LogPart, OutputStream } from "../providers/provider.ts";

export interface ServiceLogLine {
  /** RFC 3339, UTC, to the millisecond. */
  readonly at: string;
  /** As far as the line's own text says; otherwise by its stream. */
  readonly level: LogLevel;
  readonly stream: OutputStream;
  readonly text: string;
  /** Of the service that wrote it. */
  readonly version: number;
}

/** Where the instances of a service's versions were read up to, by version. */
export type Positions = ReadonlyMap<number, string>;

export function storedLines({ stream, atMs, text }: LogPart, version: number): string {
  const prefix = `${timestamp(atMs)} ${stream === "stdout" ? "o" : "e"}${version} `;
  return `${prefix}${text.includes("\n") ? text.replaceAll("\n", `\n${prefix}`) : text}\n`;
}

export function storedPositions(positions: Positions): string {
  return `#${Array.from(positions, ([version, position]) => ` ${version}=${position}`).join("")}\n`;
}

/** Of a line that begins with `#`. */
export function parsePositions(line: string): Map<number, string> {
  return new Map(
    Array.from(line.matchAll(/ (\d+)=(\S+)/g), ([, version, position = ""]) => [Number(version), position]),
  );
}

/** Places in a stored line. */
export const STREAM_AT = "2026-01-31T08:00:00.000Z ".length;
export const STDERR_MARK = 0x65;
export const POSITIONS_MARK = 0x23;
