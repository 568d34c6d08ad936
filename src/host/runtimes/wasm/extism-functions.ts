/**
 * What Extism's PDKs import from `extism:host/env`, but for what the broker does (extism-broker.ts): blocks, input and output,
 * errors, configuration and log. Made by guest-host.ts, which gives them to the SDK in place of its own.
 */
import { LIMITS } from "../../../base/limits.ts";
import type { LogLevel } from "../../../base/log.ts";
import type { ExtismMemory } from "./extism-memory.ts";
import { HostFault } from "./guest-errors.ts";
import type { Offer } from "./link.ts";

/** What one call of a hook takes and leaves. */
export interface CallState {
  /** Offset of the block with the input; null where there is none. */
  input: bigint;
  output: Uint8Array | undefined;
  error: Uint8Array | undefined;
}

export interface ExtismFunctionsOptions {
  readonly memory: ExtismMemory;
  readonly call: CallState;
  readonly config: Readonly<Record<string, unknown>>;
  readonly log: (level: LogLevel, text: string) => void;
}

export function extismOffers(options: ExtismFunctionsOptions): Readonly<Record<string, Offer>> {
  const { memory, call, config } = options;
  return {
    alloc: { type: "I>I", run: (length: bigint) => memory.alloc(length) },
    free: { type: "I>", run: (offset: bigint) => memory.free(offset) },
    length: { type: "I>I", run: (offset: bigint) => memory.length(offset) },
    length_unsafe: { type: "I>I", run: (offset: bigint) => memory.length(offset) },
    load_u8: { type: "I>i", run: (offset: bigint) => memory.loadByte(offset) },
    load_u64: { type: "I>I", run: (offset: bigint) => memory.loadWord(offset) },
    store_u8: { type: "Ii>", run: (offset: bigint, value: number) => memory.storeByte(offset, value) },
    store_u64: { type: "II>", run: (offset: bigint, value: bigint) => memory.storeWord(offset, value) },
    input_offset: { type: ">I", run: () => call.input },
    input_length: { type: ">I", run: () => memory.length(call.input) },
    input_load_u8: { type: "I>i", run: (index: bigint) => memory.loadByte(inInput(call, index)) },
    input_load_u64: { type: "I>I", run: (index: bigint) => memory.loadWord(inInput(call, index)) },
    output_set: {
      type: "II>",
      run(offset: bigint, length: bigint) {
        call.output = length === 0n ? undefined : memory.bytes("output_set", offset, length);
      },
    },
    error_set: {
      type: "I>",
      run(offset: bigint) {
        call.error = offset === 0n ? undefined : memory.bytes("error_set", offset);
      },
    },
    config_get: {
      type: "I>I",
      run(offset: bigint) {
        const key = textAt(memory, "config_get", offset);
        if (!Object.hasOwn(config, key)) return 0n;
        const value = config[key];
        return memory.putText(typeof value === "string" ? value : JSON.stringify(value));
      },
    },
    ...logOffers(options),
  };
}

export function textAt(memory: ExtismMemory, what: string, offset: bigint): string {
  return decoder.decode(memory.bytes(what, offset));
}

// --- internal ---

const decoder = new TextDecoder();

/** Offsets that count from the input's beginning must not lead out of it into another block. */
function inInput(call: CallState, index: bigint): bigint {
  if (index < 0n || index > BigInt(LIMITS.extismBytes))
    throw new HostFault(`input_load: ${BigInt.asUintN(64, index)} is beyond the input`);
  return call.input + index;
}

/** The levels as PDKs count them. Nothing is held back here: what is kept is the daemon's to say. */
const LEVELS: readonly (readonly [name: string, level: LogLevel])[] = [
  ["log_trace", "debug"],
  ["log_debug", "debug"],
  ["log_info", "info"],
  ["log_warn", "warn"],
  ["log_error", "error"],
];
const DEBUG = 1;

function logOffers({ memory, log }: ExtismFunctionsOptions): Record<string, Offer> {
  const offers = LEVELS.map(([name, level]): [string, Offer] => [
    name,
    {
      type: "I>",
      // The daemon cuts a line too; its end need not travel.
      run: (offset: bigint) =>
        log(level, decoder.decode(memory.bytes(name, offset).subarray(0, 4 * LIMITS.logTextChars))),
    },
  ]);
  return { ...Object.fromEntries(offers), get_log_level: { type: ">i", run: () => DEBUG } };
}
