/**
 * How a plugin reads what it opened: `stream.next`, `stream.write` and `stream.close`, for every method that answers with
 * `{stream: handle}`. In JavaScript they stand behind iterators; a WASM module calls them. Called by catalogue.ts.
 */
import * as v from "valibot";
import { method, type Method } from "./method.ts";

/** `stream.next {stream}` → `{items, done}` · `stream.write {stream, data}` · `stream.close {stream}`. */
export function streamMethods(): readonly Method[] {
  return [
    method({
      name: "stream.next",
      args: "object",
      surface: "hidden",
      anyOf: [],
      params: v.strictObject({ stream: handle }),
      isPatient: true,
      run: (_caller, { stream }, signal, streams) => streams.next(stream, signal),
    }),
    method({
      name: "stream.write",
      args: "object",
      surface: "hidden",
      anyOf: [],
      params: v.strictObject({ stream: handle, data: v.unknown() }),
      isPatient: true,
      run: (_caller, { stream, data }, signal, streams) => streams.write(stream, data, signal),
    }),
    method({
      name: "stream.close",
      args: "object",
      surface: "hidden",
      anyOf: [],
      params: v.strictObject({ stream: handle }),
      run: async (_caller, { stream }, _signal, streams) => streams.close(stream),
    }),
  ];
}

// --- internal ---

const handle = v.pipe(v.string(), v.maxLength(20));
