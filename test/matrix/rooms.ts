/** The rooms of the matrix: a plugin that calls one method with the parameters in its event, and gives what it got. */
import type { Method } from "../../src/host/capabilities/method.ts";
import type { GuestCode, Room } from "../../src/host/runtimes/runtime.ts";
import { importName } from "../../src/host/runtimes/wasm/host-methods.ts";
import { forwarder } from "../wasm/forwarder.ts";

export interface MatrixRoom {
  readonly kind: "js" | "wasm";
  readonly code: (method: Method) => GuestCode | Promise<GuestCode>;
  /** `{result}` or `{error: {code}}`. */
  readonly call: (room: Room, method: Method, params: unknown) => Promise<Got>;
}

export type Got =
  | { readonly result: unknown }
  | { readonly error: { readonly code: string; readonly message: string; readonly hint?: string } };

const DEADLINE = { deadlineMs: 20_000 };

export const JAVASCRIPT: MatrixRoom = {
  kind: "js",
  code: () => ({ kind: "js", text: PLUGIN, sourceMap: undefined }),
  async call(room, { name, args, surface }, params) {
    const values = args === "object" ? [params] : args.map((arg) => (params as Record<string, unknown>)[arg]);
    return (await room.call("on_alert", { name, surface, values }, DEADLINE)) as Got;
  },
};

export const WASM: MatrixRoom = {
  kind: "wasm",
  code: async ({ name }) => ({ kind: "wasm", bytes: await forwarder({ on_alert: importName(name) }) }),
  call: async (room, _method, params) => (await room.call("on_alert", params, DEADLINE)) as Got,
};

// --- internal ---

/** Bytes are shown as the daemon writes them. Of a stream it takes what comes first. */
const PLUGIN = `
  const plain = (value) => value instanceof Uint8Array ? { $b64: btoa(String.fromCharCode(...value)) } : (value ?? null);
  const globals = { "net.fetch": async ({ url, ...init }) => { const { status } = await fetch(url, init); return { status }; } };
  const find = (ctx, name) => globals[name] ?? name.split(".").reduce((at, part) => at[part], ctx);
  const first = async (stream) => { for await (const item of stream) return item; };
  export default {
    async on_alert({ name, surface, values }, ctx) {
      ctx.log.info("calls");
      try {
        const answer = find(ctx, name)(...values);
        return { result: plain(surface === "stream" ? await first(answer) : await answer) };
      } catch ({ code, message, hint }) {
        return { error: { code, message, hint } };
      }
    },
  };`;
