/**
 * The broker's methods as functions that a module imports from `extism:host/user`: `kv.get` is `kv_get`. Each takes the
 * offset of its parameters as JSON and gives the offset of `{"result": …}` or `{"error": {code, message, hint?, details?}}`.
 * Made by guest-host.ts.
 */
import { isVoxError, messageOf, toWire, type WireError } from "../../../base/errors.ts";
import { bytesFromJson, bytesToJson } from "./bytes-in-json.ts";
import type { ExtismMemory } from "./extism-memory.ts";
import { parseGuestJson } from "./guest-json.ts";
import type { Offer } from "./link.ts";
import type { MethodShape } from "../runtime.ts";

/** Asks the broker and waits. */
export type CallHost = (method: string, params: unknown) => unknown;

export function importName(method: string): string {
  return method.replaceAll(".", "_");
}

export function methodOffers(
  methods: readonly MethodShape[],
  memory: ExtismMemory,
  callHost: CallHost,
): Readonly<Record<string, Offer>> {
  return Object.fromEntries(
    methods.map(({ name, needs, asked, linked }) => {
      const run = (params: bigint): bigint => {
        const answer = JSON.stringify(answerOf(name, params, memory, callHost));
        return memory.putText(answer);
      };
      return [importName(name), { type: "I>I", needs, asked, run: linked ? run : undefined }];
    }),
  );
}

// --- internal ---

const decoder = new TextDecoder();

type Answer = { readonly result: unknown } | { readonly error: WireError };

function answerOf(method: string, params: bigint, memory: ExtismMemory, callHost: CallHost): Answer {
  const text = params === 0n ? "" : decoder.decode(memory.bytes(importName(method), params));
  let parsed: unknown;
  try {
    parsed = text === "" ? {} : bytesFromJson(parseGuestJson(text));
  } catch (error) {
    const message = `${method}: the parameters: found ${messageOf(error)}`;
    return { error: { code: "capability.invalid_params", message } };
  }
  try {
    return { result: bytesToJson(callHost(method, parsed)) ?? null };
  } catch (error) {
    if (!isVoxError(error)) throw error;
    return { error: toWire(error) };
  }
}
