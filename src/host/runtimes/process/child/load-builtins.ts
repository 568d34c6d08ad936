/**
 * Loads all of the engine's own modules that a plugin may import, before its world is narrowed: they find what they need of the
 * global names when they are loaded. Called by js-guest.ts.
 */
import { PURE_BUILTINS } from "../../../bundle/pure-builtins.ts";

/** Gives an output that leads nowhere: some of them ask what the process writes to. */
export async function loadBuiltins(): Promise<object> {
  const { Writable } = await import("node:stream");
  await Promise.all(PURE_BUILTINS.map((name) => import(name)));
  return new Writable({ write: (_chunk, _encoding, done) => done() });
}
