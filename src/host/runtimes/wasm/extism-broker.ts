/**
 * The parts of Extism's interface that are methods of the broker under other names: variables are the plugin's kv store, HTTP
 * is net.fetch. Where the method is not granted, the functions are closed. What the broker refuses ends the call, as in
 * Extism; a module that wants to go on uses the functions of `extism:host/user`. Made by guest-host.ts.
 */
import { isVoxError } from "../../../base/errors.ts";
import { textAt } from "./extism-functions.ts";
import type { ExtismMemory } from "./extism-memory.ts";
import { readHttpRequest, readHttpResponse } from "./extism-http.ts";
import { HostFault } from "./guest-errors.ts";
import type { CallHost } from "./host-methods.ts";
import type { HostFunction, Offer } from "./link.ts";
import type { MethodShape } from "../runtime.ts";

export interface ExtismBrokerOptions {
  readonly memory: ExtismMemory;
  readonly methods: readonly MethodShape[];
  readonly callHost: CallHost;
}

export function brokerOffers(options: ExtismBrokerOptions): Readonly<Record<string, Offer>> {
  return { ...variableOffers(options), ...httpOffers(options) };
}

// --- internal ---

function variableOffers({ memory, methods, callHost }: ExtismBrokerOptions): Record<string, Offer> {
  function varGet(keyAt: bigint): bigint {
    const value = ask(callHost, "var_get", "kv.get", { key: textAt(memory, "var_get", keyAt) });
    return value === undefined || value === null ? 0n : putVariable(memory, value);
  }

  function varSet(keyAt: bigint, valueAt: bigint): void {
    const key = textAt(memory, "var_set", keyAt);
    if (valueAt === 0n) ask(callHost, "var_set", "kv.delete", { key });
    else ask(callHost, "var_set", "kv.set", { key, value: textOrBytes(memory.bytes("var_set", valueAt)) });
  }

  return {
    ...offer(methods, "kv.get", "var_get", "I>I", varGet),
    ...offer(methods, "kv.set", "var_set", "II>", varSet),
  };
}

function httpOffers({ memory, methods, callHost }: ExtismBrokerOptions): Record<string, Offer> {
  let status = 0;
  let headers: string | undefined;

  function request(requestAt: bigint, bodyAt: bigint): bigint {
    const wanted = readHttpRequest(textAt(memory, "http_request", requestAt));
    const body = bodyAt === 0n ? undefined : memory.bytes("http_request", bodyAt).slice();
    const sent =
      body === undefined || body.length === 0 || BODYLESS.has(wanted.method) ? wanted : { ...wanted, body };
    const answer = readHttpResponse(ask(callHost, "http_request", "net.fetch", sent));
    status = answer.status;
    headers = answer.headers;
    return memory.put(answer.body);
  }

  return {
    ...offer(methods, "net.fetch", "http_request", "II>I", request),
    ...offer(methods, "net.fetch", "http_status_code", ">i", () => status),
    ...offer(methods, "net.fetch", "http_headers", ">I", () =>
      headers === undefined ? 0n : memory.putText(headers),
    ),
  };
}

/** Extism sends no body with these, whatever the module says. */
const BODYLESS: ReadonlySet<string> = new Set(["GET", "HEAD"]);

function ask(callHost: CallHost, what: string, method: string, params: unknown): unknown {
  try {
    return callHost(method, params);
  } catch (error) {
    if (!isVoxError(error)) throw error;
    throw new HostFault(`${what}: ${error.message}${error.hint === undefined ? "" : `; ${error.hint}`}`);
  }
}

/** Nothing where the broker has no such method, a closed function where it is not granted. */
function offer(
  methods: readonly MethodShape[],
  method: string,
  name: string,
  type: string,
  run: HostFunction,
): Record<string, Offer> {
  const found = methods.find((each) => each.name === method);
  if (found === undefined) return {};
  const { needs, asked, linked } = found;
  return { [name]: { type, needs, asked, run: linked ? run : undefined } };
}

function putVariable(memory: ExtismMemory, value: unknown): bigint {
  if (value instanceof Uint8Array) return memory.put(value);
  return memory.putText(typeof value === "string" ? value : JSON.stringify(value));
}

/** Text where it is text, so that a person can read it in the store. */
function textOrBytes(bytes: Uint8Array): string | Uint8Array {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return bytes.slice();
  }
}
