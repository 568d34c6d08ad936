/**
 * An input for an operation, made from its schema, in which every text is the same: what a client could name anywhere. For the first of a
 * union's choices, or the others by number.
 */
import type { GenericSchema } from "valibot";

export function fillSchema(schema: GenericSchema, text: string, choice = 0): unknown {
  const node = schema as unknown as Node;
  if (node.pipe !== undefined && node.pipe[0] !== node) return fillSchema(node.pipe[0]!, text, choice);
  const fill = FILL[node.type];
  if (fill === undefined) throw new Error(`an operation's input has a ${node.type}: say how it is filled`);
  return fill(node, text, choice);
}

// --- internal ---

interface Node {
  readonly type: string;
  readonly pipe?: readonly GenericSchema[];
  readonly entries?: Readonly<Record<string, GenericSchema>>;
  readonly options?: readonly unknown[];
  readonly wrapped?: GenericSchema;
  readonly item?: GenericSchema;
}

const object = ({ entries = {} }: Node, text: string, choice: number): unknown =>
  Object.fromEntries(Object.entries(entries).map(([key, each]) => [key, fillSchema(each, text, choice)]));

const FILL: Readonly<Record<string, (node: Node, text: string, choice: number) => unknown>> = {
  object,
  strict_object: object,
  optional: ({ wrapped }, text, choice) => fillSchema(wrapped!, text, choice),
  union: ({ options = [] }, text, choice) =>
    fillSchema(options[choice % options.length] as GenericSchema, text, choice),
  array: ({ item }, text, choice) => [fillSchema(item!, text, choice)],
  string: (_node, text) => text,
  picklist: ({ options = [] }) => options[0],
  record: (_node, text) => ({ [text]: text }),
  custom: (_node, text) => ({ NAME: text }),
  number: () => 1,
  boolean: () => false,
};
