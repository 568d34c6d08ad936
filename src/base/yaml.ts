/**
 * Reads a YAML document that a person wrote and checks it against a schema (see document.ts). One document, a map of plain values: no
 * anchors, aliases, tags or merge keys, which a manifest does not need and which can make a small file large. Used for plugin.yaml.
 */
import { isAlias, isMap, isNode, isScalar, LineCounter, parseAllDocuments, visit, type Document } from "yaml";
import type * as v from "valibot";
import {
  checkDocument,
  documentProblems,
  placeText,
  type DocumentSource,
  type PlaceOf,
  type TextPlace,
} from "./document.ts";
import { fail, isVoxError, type VoxError } from "./errors.ts";
import { isObject } from "./is-object.ts";
import { printable } from "./text.ts";

/** The document as the schema's output. Throws `source.code`. */
export function readYaml<S extends v.GenericSchema>(source: DocumentSource, schema: S): v.InferOutput<S> {
  const { value, placeOf } = openYaml(source);
  return checkDocument(source, value, schema, placeOf);
}

/** All that is wrong with it: the first thing that is no plain YAML, or else what the schema finds. */
export function yamlProblems(source: DocumentSource, schema: v.GenericSchema): readonly VoxError[] {
  let opened: Opened;
  try {
    opened = openYaml(source);
  } catch (error) {
    if (!isVoxError(error)) throw error;
    return [error];
  }
  return documentProblems(source, opened.value, schema, opened.placeOf);
}

// --- internal ---

interface Opened {
  readonly value: Record<string, unknown>;
  readonly placeOf: PlaceOf;
}

function openYaml(source: DocumentSource): Opened {
  const lines = new LineCounter();
  const documents = parseAllDocuments(source.text, {
    lineCounter: lines,
    version: "1.2",
    schema: "core",
    uniqueKeys: true,
    prettyErrors: false,
  });
  const placeAt = (offset: number | undefined): TextPlace | undefined => {
    if (offset === undefined) return undefined;
    const { line, col } = lines.linePos(offset);
    return line === 0 ? undefined : { line, column: col };
  };
  const refuse = (offset: number | undefined, problem: string): VoxError => {
    const place = placeAt(offset);
    return fail(source.code, `${placeText(source.file, place)}: ${printable(problem)}`, {
      details: { file: source.file, ...place },
    });
  };

  const [document, second] = Array.isArray(documents) ? documents : [];
  if (document === undefined) throw refuse(undefined, "the file is empty");
  // A warning is a tag that nobody knows: its value would be taken as if it had none.
  const error = document.errors[0] ?? document.warnings[0];
  if (error !== undefined) throw refuse(error.pos[0], error.message);
  if (second !== undefined) throw refuse(second.range[0], "wanted one document, found another behind ---");
  checkPlain(document, refuse);
  const value: unknown = document.toJS({ maxAliasCount: 0 });
  if (!isObject(value)) throw refuse(0, "wanted keys and values, such as: name: my-plugin");
  return { value, placeOf: (path) => placeAt(offsetOf(document, path)) };
}

function checkPlain(
  document: Document.Parsed,
  refuse: (offset: number | undefined, problem: string) => VoxError,
): void {
  visit(document, (_key, node) => {
    if (!isNode(node)) return;
    const at = node.range?.[0];
    if (isAlias(node) || (node as { readonly anchor?: string }).anchor !== undefined)
      throw refuse(at, "anchors and aliases are not read here: write the value out");
    if (node.tag !== undefined && !node.tag.startsWith("tag:yaml.org,2002:"))
      throw refuse(at, `the tag ${node.tag} is not read here`);
    if (isMap(node))
      for (const { key } of node.items)
        if (!isScalar(key) || typeof key.value !== "string")
          throw refuse(isNode(key) ? key.range?.[0] : at, "a key must be a text");
  });
}

/** Where the last part of `path` that is there is written: its key, or the value of a list. */
function offsetOf(document: Document.Parsed, path: readonly string[]): number | undefined {
  let node: unknown = document.contents;
  let offset: number | undefined;
  for (const part of path) {
    if (isMap(node)) {
      const pair = node.items.find(({ key }) => isScalar(key) && key.value === part);
      if (pair === undefined || !isNode(pair.key)) break;
      offset = pair.key.range?.[0];
      node = pair.value;
    } else {
      const item = (node as { readonly items?: readonly unknown[] } | null)?.items?.[Number(part)];
      if (!isNode(item)) break;
      offset = item.range?.[0];
      node = item;
    }
  }
  return offset;
}
