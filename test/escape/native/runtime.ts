/**
 * How attacks at the level of JavaScript get at the runtime's powers: the names of modules are put together at run time, so that no
 * bundler sees them. What the runtime makes of the kernel's refusal differs: many have words of their own for it.
 */
import { attack, type AttackOptions, type NativeAttack, type Places } from "./attack.ts";
import { Refused } from "./errors.ts";

/** How long is waited for an answer that does not come. */
export const PATIENCE_MS = 300;
export const SAYS_NO = { refusals: ["nothing"] } as const;

export function js(
  name: string,
  proof: NativeAttack["proof"],
  run: (at: Places) => Promise<unknown>,
  options: AttackOptions = {},
): NativeAttack {
  return attack(`in JavaScript, ${name}`, proof, (_kernel, at) => run(at), options);
}

export async function node<Name extends keyof NodeModules>(name: Name): Promise<NodeModules[Name]> {
  return (await import(["node", name].join(":"))) as NodeModules[Name];
}

export async function bun(): Promise<typeof Bun> {
  const name = ["b", "un"].join("");
  return ((await import(name)) as { readonly default: typeof Bun }).default;
}

export function yes(answer: boolean): string {
  if (!answer) throw new Refused("nothing", "it said no");
  return "yes";
}

// --- internal ---

interface NodeModules {
  readonly child_process: typeof import("node:child_process");
  readonly dgram: typeof import("node:dgram");
  readonly dns: typeof import("node:dns");
  readonly fs: typeof import("node:fs");
  readonly http: typeof import("node:http");
  readonly inspector: typeof import("node:inspector");
  readonly module: typeof import("node:module");
  readonly net: typeof import("node:net");
  readonly os: typeof import("node:os");
  readonly process: { readonly default: NodeJS.Process };
  readonly v8: typeof import("node:v8");
  readonly worker_threads: typeof import("node:worker_threads");
}
