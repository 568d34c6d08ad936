/**
 * Leaves of the global names those of the language and those that the prelude made, and `Buffer`: a plugin finds the same world in
 * both JavaScript rooms. This is no wall. Called by js-guest.ts.
 */
import process from "node:process";

/**
 * `output` is given where the code uses modules of the engine's own, which must have been loaded by now: they look up some global
 * names while they work. Gives the names that are left for them and are not to be seen in a plugin's module.
 */
export function narrowGlobals(output: object | undefined): readonly string[] {
  const left = output === undefined ? [] : [...ENGINE.flat(), "process"];
  const standIn = processStandIn(output);
  for (const name of Object.getOwnPropertyNames(globalThis)) {
    if (!KEPT.has(name) && !left.includes(name)) Reflect.deleteProperty(globalThis, name);
  }
  if (output !== undefined) {
    Object.defineProperty(globalThis, "process", { value: standIn, writable: true, configurable: true });
  }
  return [...left, ...ELSEWHERE];
}

// --- internal ---

/** What the engine's modules look up of the process, and nothing else of it. */
function processStandIn(output: object | undefined): object {
  const { platform, arch, version, versions, release } = process;
  return {
    nextTick: process.nextTick.bind(process),
    emitWarning: process.emitWarning.bind(process),
    platform,
    arch,
    version,
    versions,
    release,
    env: {},
    argv: [],
    execArgv: [],
    cwd: () => "/",
    stdout: output,
    stderr: output,
  };
}

const LANGUAGE = [
  ["Infinity", "NaN", "undefined", "globalThis", "eval"],
  ["isFinite", "isNaN", "parseFloat", "parseInt", "escape", "unescape"],
  ["decodeURI", "decodeURIComponent", "encodeURI", "encodeURIComponent"],
  ["Object", "Function", "Boolean", "Symbol", "Number", "BigInt", "Math", "Date", "String", "RegExp"],
  ["Error", "AggregateError", "EvalError", "RangeError", "ReferenceError", "SuppressedError"],
  ["SyntaxError", "TypeError", "URIError", "DisposableStack", "AsyncDisposableStack"],
  ["Array", "Map", "Set", "WeakMap", "WeakSet", "WeakRef", "FinalizationRegistry", "Iterator"],
  ["Int8Array", "Uint8Array", "Uint8ClampedArray", "Int16Array", "Uint16Array", "Int32Array"],
  ["Uint32Array", "BigInt64Array", "BigUint64Array", "Float16Array", "Float32Array", "Float64Array"],
  ["ArrayBuffer", "SharedArrayBuffer", "DataView", "Atomics", "JSON"],
  ["Promise", "Proxy", "Reflect", "Intl", "Temporal"],
];

const PRELUDE = [
  ["AbortController", "AbortSignal", "DOMException", "Event", "EventTarget"],
  ["Headers", "Request", "Response", "URL", "URLSearchParams", "fetch"],
  ["TextDecoder", "TextEncoder", "atob", "btoa", "structuredClone"],
  ["clearInterval", "clearTimeout", "setInterval", "setTimeout", "queueMicrotask"],
  ["console", "crypto", "performance"],
];

const ENGINE = [
  ["setImmediate", "clearImmediate", "Blob", "File", "FormData", "CustomEvent"],
  ["MessageChannel", "MessageEvent", "MessagePort", "Crypto", "CryptoKey", "SubtleCrypto"],
  ["ReadableStream", "ReadableStreamDefaultReader", "ReadableStreamDefaultController"],
  ["ReadableByteStreamController", "ReadableStreamBYOBReader", "ReadableStreamBYOBRequest"],
  ["WritableStream", "WritableStreamDefaultWriter", "WritableStreamDefaultController"],
  ["TransformStream", "TransformStreamDefaultController", "CompressionStream", "DecompressionStream"],
  ["TextDecoderStream", "TextEncoderStream", "ByteLengthQueuingStrategy", "CountQueuingStrategy"],
  ["Performance", "PerformanceEntry", "PerformanceMark", "PerformanceMeasure", "PerformanceObserver"],
  ["PerformanceObserverEntryList", "PerformanceResourceTiming", "PerformanceTiming"],
];

/** One that can't be taken away, and what the engine puts into a module where it is used. */
const ELSEWHERE = ["Bun", "require", "module", "exports"];

const KEPT: ReadonlySet<string> = new Set([...LANGUAGE.flat(), ...PRELUDE.flat(), "Buffer"]);
