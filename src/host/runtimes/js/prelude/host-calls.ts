/** Requests from the guest to the daemon's broker, and their answers. */
import { LIMITS } from "../../../../base/limits.ts";
import { askText } from "./bridge.ts";
import { reviveBytes, stringifyWithBytes } from "./bytes.ts";
import { create, makeError, makePromise, parse, stringify } from "./primordials.ts";

/** Asks the broker. The answer is JSON; bytes in it are Uint8Arrays. `onStart` is given a function that cancels. */
export function callHost(
  method: string,
  params: unknown,
  onStart?: (cancel: (reason: unknown) => void) => void,
): Promise<unknown> {
  const site = makeError(""); // made here, so that its stack names the plugin's own line
  return makePromise((resolve, reject) => {
    const id = ++lastId;
    const text = stringifyWithBytes(params) ?? "null"; // a throw in here rejects
    const refusal = askText("host", `{"method":${stringify(method)},"params":${text}}`, `${id}`);
    if (refusal !== "") {
      reject(asPluginError(site, { code: "capability.limit", message: `${method}: ${refusal}` }));
      return;
    }
    pending[id] = { resolve, reject, site };
    onStart?.((reason) => {
      if (pending[id] === undefined) return;
      delete pending[id];
      askText("cancel", `${id}`);
      reject(reason);
    });
  });
}

/** An answer of the daemon: JSON-RPC text. `bytes` says that there are bytes in it. */
export function settleHostCall(text: string, bytes: boolean): void {
  const message = parse(text) as { id: number; result?: unknown; error?: { data: WireError } };
  const call = pending[message.id];
  if (call === undefined) return;
  delete pending[message.id];
  if (message.error !== undefined) call.reject(asPluginError(call.site, message.error.data));
  else call.resolve(bytes ? reviveBytes(message.result) : message.result);
}

// --- internal ---

interface WireError {
  readonly code: string;
  readonly message: string;
  readonly hint?: string;
  readonly details?: Readonly<Record<string, unknown>>;
}

interface Pending {
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: unknown) => void;
  readonly site: Error;
}

const pending = create(null) as Record<number, Pending>;
let lastId = 0;

function asPluginError(site: Error, wire: WireError): Error {
  site.name = "PluginError";
  site.message = wire.message.slice(0, LIMITS.errorTextChars);
  const capability = wire.details?.["capability"];
  return Object.assign(site, {
    code: wire.code,
    ...(wire.hint === undefined ? {} : { hint: wire.hint }),
    ...(typeof capability === "string" ? { capability } : {}),
    ...(wire.details === undefined ? {} : { details: wire.details }),
  });
}
