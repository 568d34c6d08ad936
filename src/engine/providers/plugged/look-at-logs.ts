/**
 * The output of an instance of a provider that is a plugin. Nothing can be followed: it is looked at, with pauses that grow while nothing
 * comes. Called by provider.ts.
 */
import type { Clock } from "../../../base/clock.ts";
import { fail, isVoxError } from "../../../base/errors.ts";
import { LIMITS } from "../../../base/limits.ts";
import { waitAt } from "../../../base/waits.ts";
import { lostText } from "../log-text.ts";
import type { LogBatch, LogOptions, LogPart } from "../provider.ts";
import type { LogLine, LogsAnswer } from "./answers.ts";
import { behind, decodePosition, encodePosition, firstNew, type LogPosition } from "./log-position.ts";
import type { Params } from "./plugged-provider.ts";

export interface LogSource {
  readonly provider: string;
  ask(params: Params, signal: AbortSignal): Promise<LogsAnswer>;
  /** Nothing more will be written. */
  ended(): Promise<boolean>;
}

export async function* lookAtLogs(
  source: LogSource,
  { from, look, signal }: LogOptions,
  clock: Clock,
): AsyncGenerator<LogBatch> {
  let at = decodePosition(from);
  const follows = look?.follow ?? true;
  let isLast = false;
  for (let [looks, empty] = [0, 0]; !signal.aborted; looks++) {
    const taken = await take(source, at, looks === 0 ? look?.tail : undefined, signal, clock.now());
    at = taken.at ?? at;
    if (taken.parts.length > 0 && at !== undefined) {
      yield { parts: taken.parts, position: encodePosition(at) };
      empty = 0;
      // One that knows positions may have given only a part.
      if (at.kind === "own" && looks % LIMITS.providerLogLooks < LIMITS.providerLogLooks - 1) continue;
    }
    if (!follows || isLast) return;
    // Asked before the last look: what was written before the end is read after it.
    isLast = await source.ended();
    if (!isLast) await pause(clock, empty++, signal);
  }
}

// --- internal ---

interface Taken {
  readonly parts: readonly LogPart[];
  readonly at: LogPosition | undefined;
}

async function take(
  source: LogSource,
  at: LogPosition | undefined,
  tail: number | undefined,
  signal: AbortSignal,
  nowMs: number,
): Promise<Taken> {
  if (at === undefined && tail === undefined) return takeFirst(source, signal, nowMs);
  if (at?.kind !== "own") {
    const most = Math.min(tail ?? LIMITS.providerLogLines, LIMITS.providerLogLines);
    const answer = await source.ask({ tail: most }, signal);
    // Whoever wants the last so many wants no more, whatever comes.
    const wanted = tail === undefined ? answer : { ...answer, lines: answer.lines.slice(-most) };
    return takeAnswer(source, wanted, at, most, nowMs);
  }
  try {
    const answer = await source.ask({ position: at.text }, signal);
    if (answer.lines.length > 0 && answer.position === at.text)
      throw fail(
        "plugin.protocol",
        `${source.provider} gave lines of a log, and the position before them again`,
        {
          details: { plugin: source.provider, action: "logs", problem: "wrong_result" },
        },
      );
    return takeAnswer(source, answer, at, undefined, nowMs);
  } catch (error) {
    if (!isTooMuch(error)) throw error;
    // It would be too much the next time too.
    return takeLast(source, signal, nowMs);
  }
}

/** All that there is. */
async function takeFirst(source: LogSource, signal: AbortSignal, nowMs: number): Promise<Taken> {
  try {
    return await takeAnswer(source, await source.ask({}, signal), undefined, undefined, nowMs);
  } catch (error) {
    if (!isTooMuch(error)) throw error;
    return takeLast(source, signal, nowMs);
  }
}

async function takeLast(source: LogSource, signal: AbortSignal, nowMs: number): Promise<Taken> {
  const most = LIMITS.providerLogLines;
  const answer = await source.ask({ tail: most }, signal);
  const { parts, at } = await takeAnswer(source, answer, undefined, most, nowMs);
  return { parts: [lost(nowMs), ...parts], at };
}

async function takeAnswer(
  source: LogSource,
  answer: LogsAnswer,
  at: LogPosition | undefined,
  most: number | undefined,
  nowMs: number,
): Promise<Taken> {
  if (answer.position !== undefined)
    return { parts: partsOf(answer.lines, nowMs), at: { kind: "own", text: answer.position } };
  const isWhole = most === undefined || answer.lines.length < most;
  // A line without an end is one only when nothing can come to it any more.
  const isCut = answer.isOpen && !(await source.ended());
  const lines = answer.lines.slice(most === undefined ? 0 : -most, isCut ? -1 : undefined);
  const texts = lines.map(({ text }) => text);
  const { index, isLost } = firstNew(texts, isWhole, at?.kind === "lines" ? at : undefined);
  const parts = partsOf(lines.slice(index), nowMs);
  return { parts: isLost ? [lost(nowMs), ...parts] : parts, at: behind(texts, isWhole) };
}

function lost(atMs: number): LogPart {
  return { stream: "stderr", atMs, text: lostText() };
}

/** Lines of one stream and one moment are one part. */
function partsOf(lines: readonly LogLine[], nowMs: number): LogPart[] {
  const parts: { stream: LogPart["stream"]; atMs: number; texts: string[] }[] = [];
  for (const { text, at, stream: given } of lines) {
    const stream = given ?? "stdout";
    const atMs = typeof at === "string" ? Date.parse(at) : nowMs;
    const last = parts.at(-1);
    if (last?.stream === stream && last.atMs === atMs) last.texts.push(text);
    else parts.push({ stream, atMs, texts: [text] });
  }
  return parts.map(({ texts, ...part }) => ({ ...part, text: texts.join("\n") }));
}

function isTooMuch(error: unknown): boolean {
  return isVoxError(error) && ["too_large", "too_complex"].includes(String(error.details["problem"]));
}

async function pause(clock: Clock, index: number, signal: AbortSignal): Promise<void> {
  await clock.sleep(waitAt(LIMITS.providerLogRestMs, index), signal).catch(() => {});
}
