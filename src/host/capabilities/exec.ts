/**
 * `exec.run`: what the room of an executable asks for before each run. No guest is offered it, and none could ask: the work is a
 * function. So a run is refused, recorded and cut off like any other use of a grant. Called by daemon/compose-host.ts.
 */
import * as v from "valibot";
import { UNSANDBOXED } from "../../base/grant-names.ts";
import { method, type Method } from "./method.ts";

/** Ends when its signal says so. */
export type Work = (signal: AbortSignal) => Promise<unknown>;

export function execMethods(): readonly Method[] {
  return [
    method({
      name: "exec.run",
      args: "object",
      surface: "room",
      anyOf: [UNSANDBOXED],
      params: v.strictObject({
        entrypoint: v.string(),
        work: v.custom<Work>((value) => typeof value === "function", "a function"),
      }),
      target: ({ entrypoint }) => entrypoint,
      run: (_caller, { work }, signal) => work(signal),
    }),
  ];
}
