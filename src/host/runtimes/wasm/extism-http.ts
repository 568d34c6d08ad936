/** The two shapes of HTTP: what Extism's PDKs say and read, and what the broker's net.fetch wants and gives. Pure. */
import { isObject } from "../../../base/is-object.ts";
import { HostFault } from "./guest-errors.ts";

/** The parameters of net.fetch, without a body. */
export interface FetchRequest {
  readonly url: string;
  readonly method: string;
  readonly headers: readonly (readonly [name: string, value: string])[];
}

export interface HttpResponse {
  readonly status: number;
  /** As JSON: one text for each name, in lower case. */
  readonly headers: string;
  readonly body: Uint8Array;
}

/** `{url, method?, headers?: {NAME: VALUE}}`; some PDKs write `header`. */
export function readHttpRequest(text: string): FetchRequest {
  const { url, method, headers, header } = requestObject(text);
  if (typeof url !== "string") throw new HostFault('http_request: the request has no "url"');
  const named = headers ?? header ?? {};
  if (!isObject(named)) throw new HostFault('http_request: "headers" must be an object of texts');
  return {
    url,
    method: typeof method === "string" && method !== "" ? method.toUpperCase() : "GET",
    headers: Object.entries(named).map(([name, value]) => [name, String(value)] as const),
  };
}

/** What the broker gives is as netMethods has it; what is missing all the same counts as empty. */
export function readHttpResponse(answer: unknown): HttpResponse {
  const { status, headers, body } = isObject(answer) ? answer : {};
  return {
    status: typeof status === "number" ? status : 0,
    headers: JSON.stringify(joined(Array.isArray(headers) ? headers : [])),
    body: body instanceof Uint8Array ? body : new Uint8Array(),
  };
}

// --- internal ---

function requestObject(text: string): Record<string, unknown> {
  try {
    const found: unknown = JSON.parse(text);
    if (isObject(found)) return found;
  } catch {
    // The same words for both.
  }
  throw new HostFault("http_request: the request is no JSON object");
}

function joined(pairs: readonly unknown[]): Record<string, string> {
  const all = new Map<string, string>();
  for (const pair of pairs) {
    if (!Array.isArray(pair)) continue;
    const [name, value] = [String(pair[0]).toLowerCase(), String(pair[1])];
    const before = all.get(name);
    all.set(name, before === undefined ? value : `${before}, ${value}`);
  }
  return Object.fromEntries(all);
}
