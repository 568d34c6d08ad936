/** What an operation is made of: its two modes, and the schemas that several have in common. A part of the contract. */
import * as v from "valibot";
import { isObject } from "../base/is-object.ts";

export function unary<I extends v.GenericSchema, O extends v.GenericSchema>(input: I, output: O) {
  return { mode: "unary" as const, input, output };
}

/** `item`: each line. `output`: the last one's `end`. */
export function stream<I extends v.GenericSchema, T extends v.GenericSchema, O extends v.GenericSchema>(
  input: I,
  item: T,
  output: O,
) {
  return { mode: "stream" as const, input, item, output };
}

export const name = v.pipe(v.string(), v.maxLength(200));

export const none = v.strictObject({});

/** Not a record: that would pass over names such as `constructor` without a word. */
export function objectOf<T>(is: (value: unknown) => value is T, words: string) {
  return v.custom<Record<string, T>>((value) => isObject(value) && Object.values(value).every(is), words);
}

export const texts = objectOf((value) => typeof value === "string", "an object of texts");

export const workProgress = v.object({ step: v.string(), text: v.string(), percent: v.optional(v.number()) });

export const outputStream = v.picklist(["stdout", "stderr"]);

export const outputChunk = v.object({ stream: outputStream, b64: v.string() });
