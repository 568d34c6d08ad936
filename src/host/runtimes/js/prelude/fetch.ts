/** fetch: one call of the broker's `net.fetch`. Where the plugin may connect to is decided in the daemon alone. */
import { takeBody } from "./body.ts";
import { callHost } from "./host-calls.ts";
import { Request, type RequestInit } from "./request.ts";
import { networkResponse, type Response, type ResponseParts } from "./response.ts";

export async function fetch(input: unknown, init?: RequestInit): Promise<Response> {
  const request = new Request(input, init);
  const { signal } = request;
  signal.throwIfAborted();
  const body = takeBody(request);
  let stop: (() => void) | undefined;
  try {
    const answer = (await callHost(
      "net.fetch",
      {
        url: request.url,
        method: request.method,
        headers: [...request.headers],
        ...(body === null ? {} : { body }),
        redirect: request.redirect,
      },
      (cancel) => {
        stop = () => cancel(signal.reason);
        signal.addEventListener("abort", stop, { once: true });
      },
    )) as ResponseParts & { readonly body?: Uint8Array<ArrayBuffer> };
    return networkResponse(answer.body ?? null, answer);
  } finally {
    if (stop !== undefined) signal.removeEventListener("abort", stop);
  }
}
