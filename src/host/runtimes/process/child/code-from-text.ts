/**
 * `eval` and the constructors of functions, for an engine that was told to make no code from strings: the same as in the Worker's
 * guest, but that an `eval` always sees the global names alone. Called by js-guest.ts.
 */
import { runInThisContext } from "node:vm";

/** Puts them in place of the engine's own: `eval`, `Function`, and those that only a function's `constructor` leads to. */
export function takeCodeFromText(): void {
  define(globalThis, "eval", (code: unknown) => (typeof code === "string" ? runInThisContext(code) : code));
  for (const [kind, sample] of KINDS) {
    const prototype = Object.getPrototypeOf(sample) as { readonly constructor: FunctionConstructor };
    define(prototype, "constructor", makeConstructor(kind, prototype.constructor));
  }
  define(globalThis, "Function", Function.prototype.constructor);
}

// --- internal ---

const KINDS: readonly (readonly [kind: string, sample: unknown])[] = [
  ["function", function sample() {}],
  ["async function", async function sample() {}],
  ["function*", function* sample() {}],
  ["async function*", async function* sample() {}],
];

function define(target: object, name: string, value: unknown): void {
  Object.defineProperty(target, name, { value, writable: true, configurable: true, enumerable: false });
}

const { apply } = Reflect;
// eslint-disable-next-line typescript/unbound-method -- called by Reflect.apply
const sourceOf: () => string = Function.prototype.toString;

/** As the language does it: a symbol is none. */
function asText(value: unknown): string {
  return `${value as number}`;
}

function makeConstructor(kind: string, native: FunctionConstructor): FunctionConstructor {
  function construct(...texts: unknown[]): unknown {
    const strings = texts.map(asText);
    const body = strings.pop() ?? "";
    const parameters = strings.join(",");
    const text = `${kind} anonymous(${parameters}\n) {\n${body}\n}`;
    const made = runInThisContext(`(${text})`) as () => unknown;
    // A body that closes the function and goes on behind it is none.
    if (apply(sourceOf, made, []) !== text)
      throw new SyntaxError("the parameters and the body of a function must each be whole");
    const target = new.target as { readonly prototype: object } | undefined;
    return target === undefined || target.prototype === native.prototype
      ? made
      : Object.setPrototypeOf(made, target.prototype);
  }
  Object.defineProperties(construct, {
    name: { value: native.name, configurable: true },
    length: { value: 1, configurable: true },
    prototype: { value: native.prototype, writable: false },
  });
  Object.setPrototypeOf(construct, Object.getPrototypeOf(native) as object);
  return construct as unknown as FunctionConstructor;
}
