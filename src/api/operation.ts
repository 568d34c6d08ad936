/** What an operation is made of: its two modes, and the items that several have in common. A part of the contract. */
import * as v from "valibot";

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

export const workProgress = v.object({ step: v.string(), text: v.string(), percent: v.optional(v.number()) });

export const outputStream = v.picklist(["stdout", "stderr"]);

export const outputChunk = v.object({ stream: outputStream, b64: v.string() });
