/** structuredClone: copies of plain data, dates, collections, buffers and errors, cycles included. */
import { DOMException } from "./dom-exception.ts";

export function structuredClone<T>(
  value: T,
  options: { readonly transfer?: readonly ArrayBuffer[] } = {},
): T {
  if (arguments.length === 0) throw new TypeError("structuredClone needs a value");
  const seen = new Map<unknown, unknown>();
  const transfer = [...(options.transfer ?? [])];
  for (const buffer of transfer) {
    if (!(buffer instanceof ArrayBuffer) || seen.has(buffer)) throw uncloneable("a transferred value");
    seen.set(buffer, undefined);
  }
  for (const buffer of transfer) seen.set(buffer, buffer.transfer());
  return clone(value, seen) as T;
}

// --- internal ---

type Seen = Map<unknown, unknown>;

function uncloneable(what: string): DOMException {
  return new DOMException(`${what} can't be cloned`, "DataCloneError");
}

function clone(value: unknown, seen: Seen): unknown {
  if (typeof value === "symbol") throw uncloneable("a symbol");
  if (typeof value === "function") throw uncloneable("a function");
  if (typeof value !== "object" || value === null) return value;
  if (seen.has(value)) return seen.get(value);
  const copy = shell(value, seen);
  seen.set(value, copy);
  fill(value, copy, seen);
  return copy;
}

/** The copy without its contents, so that a cycle finds it. */
function shell(value: object, seen: Seen): object {
  if (Array.isArray(value)) return emptyArray(value.length);
  if (value instanceof Date) return new Date(value.getTime());
  if (value instanceof RegExp) return new RegExp(value.source, value.flags);
  if (value instanceof Map) return new Map();
  if (value instanceof Set) return new Set();
  if (value instanceof ArrayBuffer) return value.slice(0);
  if (ArrayBuffer.isView(value)) return cloneView(value, seen);
  if (value instanceof Error) return cloneError(value);
  const wrapped = wrappedPrimitive(value);
  if (typeof wrapped === "symbol") throw uncloneable("a symbol");
  if (wrapped !== undefined) return Object(wrapped) as object;
  for (const kind of [Promise, WeakMap, WeakSet, WeakRef]) {
    if (value instanceof kind) throw uncloneable(`a ${kind.name}`);
  }
  return {};
}

function fill(value: object, copy: object, seen: Seen): void {
  if (value instanceof Map) {
    const entries = Array.from(value as Map<unknown, unknown>); // before a getter can change it
    for (const [key, part] of entries)
      (copy as Map<unknown, unknown>).set(clone(key, seen), clone(part, seen));
  } else if (value instanceof Set) {
    const parts = Array.from(value as Set<unknown>);
    for (const part of parts) (copy as Set<unknown>).add(clone(part, seen));
  } else if (value instanceof Error) {
    if (Object.hasOwn(value, "cause")) define(copy, "cause", clone(value.cause, seen), false);
  } else if (Array.isArray(value) || Object.getPrototypeOf(copy) === Object.prototype) {
    for (const key of Object.keys(value)) {
      define(copy, key, clone((value as Record<string, unknown>)[key], seen), true);
    }
  }
}

/** Never an assignment: a key may be `__proto__`. */
function define(target: object, key: string, value: unknown, enumerable: boolean): void {
  Object.defineProperty(target, key, { value, enumerable, writable: true, configurable: true });
}

/** With holes, which a copy keeps. */
function emptyArray(length: number): unknown[] {
  const array: unknown[] = [];
  array.length = length;
  return array;
}

/** What `new Number(1)` and its like hold. */
function wrappedPrimitive(value: object): unknown {
  for (const kind of [Boolean, Number, String, BigInt, Symbol]) {
    try {
      return (kind.prototype.valueOf as (this: object) => unknown).call(value);
    } catch {
      continue; // not of this kind
    }
  }
  return undefined;
}

function cloneView(view: ArrayBufferView, seen: Seen): ArrayBufferView {
  const buffer = clone(view.buffer, seen) as ArrayBuffer;
  const kind = view.constructor as new (
    buffer: ArrayBuffer,
    offset: number,
    length: number,
  ) => ArrayBufferView;
  const length = view instanceof DataView ? view.byteLength : (view as Uint8Array).length;
  return new kind(buffer, view.byteOffset, length);
}

const ERRORS = new Map<string, ErrorConstructor>([
  ["EvalError", EvalError],
  ["RangeError", RangeError],
  ["ReferenceError", ReferenceError],
  ["SyntaxError", SyntaxError],
  ["TypeError", TypeError],
  ["URIError", URIError],
]);

function cloneError(error: Error): Error {
  if (error instanceof DOMException) return new DOMException(error.message, error.name);
  const copy = new (ERRORS.get(error.name) ?? Error)(error.message);
  if (typeof error.stack === "string") {
    define(copy, "stack", error.stack, false);
  }
  return copy;
}
