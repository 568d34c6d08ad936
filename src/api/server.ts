/**
 * The daemon's side of the contract: HTTP/1.1 on a Unix socket, made from the operations table. It decides nothing about
 * who may do what: whoever can open the socket is the operator (see SECURITY.md). Junk gets a 4xx with a code; whatever a
 * handler throws becomes one error document. Started by serve.ts, ended with the daemon.
 */
import type { BunRequest, Server } from "bun";
import * as v from "valibot";
import type { Clock } from "../base/clock.ts";
import { diskFull } from "../base/disk-full.ts";
import { fail, isVoxError, messageOf, stackOf, toWire, type WireError } from "../base/errors.ts";
import { KINDS } from "../base/error-codes.ts";
import { LIMITS } from "../base/limits.ts";
import type { Log } from "../base/log.ts";
import type { Handlers, UploadHandler } from "./handlers.ts";
import { redactData, type Redact } from "../base/redact.ts";
import { measureJson } from "../host/runtimes/wire/json-shape.ts";
import { operations, type OperationName } from "./operations.ts";

export interface ApiServer {
  /** Lets running requests end, but no longer than `graceMs`. */
  stop(graceMs: number): Promise<void>;
}

export interface ApiServerOptions {
  readonly socket: string;
  readonly handlers: Handlers;
  readonly upload: UploadHandler;
  /** Takes secrets out of the words of errors: they may repeat what a program or a plugin said. */
  readonly redact: Redact;
  readonly clock: Clock;
  readonly log: Log;
}

export function serveApi(options: ApiServerOptions): ApiServer {
  const server = Bun.serve({
    unix: options.socket,
    maxRequestBodySize: LIMITS.appUploadBytes * 2,
    ...(NEVER_IDLE as object),
    routes: {
      "/v1/upload": { POST: (request) => answer(request, () => upload(request, options)) },
      "/v1/:operation": {
        POST: (request: BunRequest<"/v1/:operation">) => answer(request, () => operate(request, options)),
      },
    },
    fetch: (request) =>
      errorResponse(
        fail(
          "request.unknown_operation",
          `${request.method} ${URL.parse(request.url)?.pathname ?? "of a broken address"} is not part of this API`,
          {
            hint: "POST /v1/<operation> with a JSON object",
          },
        ),
        options,
      ),
    error: (error) => errorResponse(error, options),
  });
  return { stop: (graceMs) => stopServer(server, options.clock, graceMs) };

  async function answer(request: Request, work: () => Promise<Response>): Promise<Response> {
    try {
      return await work();
    } catch (raw) {
      const error = diskFull(raw);
      // What a client that hung up leaves behind is no news, and nobody hears the answer.
      const isNews = !request.signal.aborted && (!isVoxError(error) || error.kind === "bug");
      if (isNews)
        options.log.error("a request failed in an unexpected way", {
          error: messageOf(error),
          stack: stackOf(error),
        });
      return errorResponse(error, options);
    }
  }
}

// --- internal ---

/**
 * The runtime would cut what is silent for ten seconds: a followed log, a deploy that waits for health. It does so on Unix sockets
 * too, where its types know nothing of it.
 */
const NEVER_IDLE = { idleTimeout: 0 };

async function operate(request: BunRequest<"/v1/:operation">, options: ApiServerOptions): Promise<Response> {
  const name = request.params.operation;
  if (!isOperation(name))
    throw fail(
      "request.unknown_operation",
      `there is no operation called ${JSON.stringify(name.slice(0, 80))}`,
    );
  const input = parseInput(name, await readJson(request));
  const handler = options.handlers[name] as (input: unknown, signal: AbortSignal) => unknown;
  if (operations[name].mode === "unary") return Response.json((await handler(input, request.signal)) ?? {});
  const lines = handler(input, request.signal) as AsyncGenerator<unknown, unknown>;
  // The first step runs before the status line is written, so that an early failure has its own status.
  const first = await lines.next();
  return new Response(ndjson(first, lines, options), {
    headers: { "content-type": "application/x-ndjson" },
  });
}

async function upload(request: Request, options: ApiServerOptions): Promise<Response> {
  const kind = URL.parse(request.url)?.searchParams.get("kind");
  if (kind !== "plugin" && kind !== "app")
    throw fail("request.invalid", "an upload has ?kind=plugin or ?kind=app");
  if (request.body === null) throw fail("request.invalid", "an upload has a tar stream as its body");
  return Response.json(await options.upload(kind, request.body));
}

function isOperation(name: string): name is OperationName {
  return Object.hasOwn(operations, name);
}

function parseInput(name: OperationName, body: unknown): unknown {
  // To valibot an empty list is an empty object.
  if (Array.isArray(body))
    throw fail("request.invalid", `${name}: the body should be an object, and is a list`);
  const result = v.safeParse(operations[name].input, body);
  if (result.success) return result.output;
  const issue = result.issues[0];
  const path = issue.path?.map((item) => String(item.key)).join(".") ?? "";
  if (issue.expected === "never")
    throw fail("request.invalid", `${name}: ${path} is not a field that it knows`, { details: { path } });
  const wanted = (issue.type === "custom" ? issue.message : issue.expected) ?? "something else";
  // The issue's own message would repeat the received value, which may be a password.
  throw fail("request.invalid", `${name}: ${path === "" ? "the body" : path} should be ${wanted}`, {
    details: { path, expected: wanted },
  });
}

async function readJson(request: Request): Promise<unknown> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of request.body ?? []) {
    size += chunk.byteLength;
    if (size > LIMITS.requestBodyBytes)
      throw fail("request.too_large", `a request body has at most ${LIMITS.requestBodyBytes} bytes`);
    chunks.push(chunk);
  }
  return size === 0 ? {} : parsedJson(Buffer.concat(chunks));
}

/** What is nested by the ten thousand is parsed, and then whoever writes or copies it runs out of stack. */
function parsedJson(body: Uint8Array): unknown {
  let value: unknown;
  let isDeep: boolean;
  try {
    const text = new TextDecoder("utf-8", { fatal: true }).decode(body);
    const most = { values: Number.POSITIVE_INFINITY, depth: LIMITS.messageDepth };
    isDeep = measureJson(text, most).depth > most.depth;
    value = isDeep ? undefined : (JSON.parse(text) as unknown);
  } catch {
    throw fail("request.invalid", "the body is not JSON in UTF-8");
  }
  if (isDeep) throw fail("request.invalid", `the body is nested deeper than ${LIMITS.messageDepth} levels`);
  return value;
}

function ndjson(
  first: IteratorResult<unknown, unknown>,
  lines: AsyncGenerator<unknown, unknown>,
  options: ApiServerOptions,
): ReadableStream {
  const encoder = new TextEncoder();
  let next: Promise<IteratorResult<unknown, unknown>> | undefined = Promise.resolve(first);
  let isRead = true;
  return new ReadableStream({
    type: "bytes",
    async pull(controller) {
      const write = (text: string): void => {
        if (isRead) controller.enqueue(encoder.encode(text));
      };
      const close = (): void => {
        if (isRead) controller.close();
      };
      let text = "";
      let soon: Promise<undefined> | undefined;
      try {
        // What comes at once goes out together: a log can have more lines a second than there can be writes.
        while (text.length < CHUNK_CHARS) {
          next ??= lines.next();
          const step = soon === undefined ? await next : await Promise.race([next, soon]);
          soon ??= options.clock.sleep(0).then(() => undefined);
          if (step === undefined) break;
          next = undefined;
          text += documentOf(step);
          if (step.done !== true) continue;
          write(text);
          return close();
        }
        write(text);
      } catch (raw) {
        const error = diskFull(raw);
        if (!isVoxError(error))
          options.log.error("a stream failed in an unexpected way", {
            error: messageOf(error),
            stack: stackOf(error),
          });
        write(`${text}${JSON.stringify({ error: wireError(error, options) })}\n`);
        close();
      }
    },
    async cancel() {
      isRead = false;
      await lines.return(undefined);
    },
  });
}

/** Of what one write sends. */
const CHUNK_CHARS = 64 * 1024;

function documentOf(step: IteratorResult<unknown, unknown>): string {
  const document = step.done === true ? { end: step.value ?? {} } : { item: step.value };
  return `${JSON.stringify(document)}\n`;
}

function errorResponse(error: unknown, options: ApiServerOptions): Response {
  const status = KINDS[isVoxError(error) ? error.kind : "bug"].http;
  return Response.json({ error: wireError(error, options) }, { status });
}

/** The code is ours and stays; all else may hold others' words. */
function wireError(error: unknown, { redact }: ApiServerOptions): WireError {
  const wire = toWire(error);
  return { ...(redactData(wire, redact) as WireError), code: wire.code };
}

async function stopServer(server: Server<unknown>, clock: Clock, graceMs: number): Promise<void> {
  const { promise: late, resolve } = Promise.withResolvers<void>();
  const cancel = clock.after(graceMs, resolve);
  await Promise.race([server.stop(false), late]);
  cancel();
  await server.stop(true);
}
