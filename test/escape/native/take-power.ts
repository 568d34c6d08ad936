/** How a plugin's code gets at native code in the room for JavaScript processes: by names of modules that no bundler can read. */
import { makeKernel, type Kernel } from "./kernel.ts";

/** Puts back what the room took from the global names and attacks look up there, too. */
export async function takePower(): Promise<Kernel> {
  const { default: process } = await builtin<{ readonly default: object }>("node:process");
  const { default: WebSocket } = await builtin<{ readonly default: object }>("ws");
  const { URL } = await builtin<typeof import("node:url")>("node:url");
  const { Blob } = await builtin<typeof import("node:buffer")>("node:buffer");
  const { setTimeout } = await builtin<typeof import("node:timers")>("node:timers");
  Object.assign(globalThis, { process, WebSocket, URL, Blob, setTimeout });
  return makeKernel(await builtin<typeof import("bun:ffi")>("bun:ffi"));
}

// --- internal ---

async function builtin<T>(name: string): Promise<T> {
  return (await import(name)) as T;
}
