/**
 * A daemon that only answers: made from the operations table, with the answers that a test gives. What a client sends is
 * checked against the table, so a test of the CLI fails when the two sides drift apart.
 */
import * as v from "valibot";
import { KINDS } from "../../../src/base/error-codes.ts";
import { isVoxError, toWire } from "../../../src/base/errors.ts";
import {
  operations,
  type Input,
  type Item,
  type OperationName,
  type Output,
  type StreamName,
} from "../../../src/api/operations.ts";

export type Answers = {
  readonly [N in OperationName]?: (
    input: Input<N>,
    signal: AbortSignal,
  ) => N extends StreamName ? AsyncGenerator<Item<N>, Output<N>, undefined> : Output<N> | Promise<Output<N>>;
} & { readonly upload?: (kind: string | null, bytes: Uint8Array) => string };

export interface FakeDaemon {
  /** Every request in order: operation and input. */
  readonly requests: { readonly operation: string; readonly input: unknown }[];
  [Symbol.asyncDispose](): Promise<void>;
}

export function fakeDaemon(socket: string, answers: Answers): FakeDaemon {
  const requests: FakeDaemon["requests"] = [];
  const server = Bun.serve({
    unix: socket,
    maxRequestBodySize: 2 ** 31,
    async fetch(request) {
      const url = new URL(request.url);
      const operation = url.pathname.replace("/v1/", "");
      try {
        if (operation === "upload") {
          const bytes = new Uint8Array(await request.arrayBuffer());
          requests.push({ operation, input: url.searchParams.get("kind") });
          const upload = answers.upload?.(url.searchParams.get("kind"), bytes) ?? "upload-1";
          return Response.json({ upload, files: 1, bytes: bytes.byteLength });
        }
        const row = operations[operation as OperationName];
        const input = v.parse(row.input as v.GenericSchema, await request.json());
        requests.push({ operation, input });
        const answer = answers[operation as OperationName] as
          | ((input: unknown, signal: AbortSignal) => unknown)
          | undefined;
        if (answer === undefined) throw new Error(`the test has no answer for ${operation}`);
        if (row.mode === "unary") return Response.json((await answer(input, request.signal)) ?? {});
        return new Response(
          lines(answer(input, request.signal) as AsyncGenerator<unknown, unknown, undefined>),
        );
      } catch (error) {
        const status = isVoxError(error) ? KINDS[error.kind].http : 500;
        const wire = isVoxError(error) ? toWire(error) : { code: "internal.bug", message: String(error) };
        return Response.json({ error: wire }, { status });
      }
    },
  });
  return {
    requests,
    async [Symbol.asyncDispose]() {
      await server.stop(true);
    },
  };
}

// --- internal ---

function lines(items: AsyncGenerator<unknown, unknown, undefined>): ReadableStream {
  const encoder = new TextEncoder();
  return new ReadableStream({
    async pull(controller) {
      const write = (line: unknown) => controller.enqueue(encoder.encode(`${JSON.stringify(line)}\n`));
      try {
        const next = await items.next();
        write(next.done === true ? { end: next.value ?? {} } : { item: next.value });
        if (next.done === true) controller.close();
      } catch (error) {
        if (!isVoxError(error)) {
          controller.error(error);
          return;
        }
        write({ error: toWire(error) });
        controller.close();
      }
    },
    async cancel() {
      await items.return(undefined);
    },
  });
}
