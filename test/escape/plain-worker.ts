/** The control of the escape suite: runs a plugin in a plain Bun Worker, with nothing around it. */
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { Canaries } from "./canaries.ts";

/** What the hook returned or threw, as text. */
export async function runUnprotected(
  files: ReadonlyMap<string, string>,
  canaries: Canaries,
): Promise<string> {
  const folder = join(canaries.folder, crypto.randomUUID());
  for (const [path, text] of files) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text);
  }
  const main = files.has("index.ts") ? "index.ts" : "index.js";
  writeFileSync(join(folder, "control-worker.js"), WORKER.replace("@MAIN@", `./${main}`));
  const worker = new Worker(join(folder, "control-worker.js"), {
    env: { [canaries.secretEnv]: canaries.secret, PATH: "/usr/bin:/bin" },
  });
  try {
    return await new Promise((resolve) => {
      worker.addEventListener("message", (event: MessageEvent<string>) => resolve(event.data));
      worker.addEventListener("error", (event) => resolve(event.message));
    });
  } finally {
    worker.terminate();
  }
}

// --- internal ---

const WORKER = `
const denied = async () => { throw new Error("denied") };
const ctx = { kv: { get: async () => undefined, set: async () => undefined }, log: console, notify: { send: denied } };
let text;
try {
  const plugin = await import("@MAIN@");
  text = JSON.stringify(await plugin.default.on_deploy_success({}, ctx)) ?? "nothing";
} catch (error) { text = "threw " + error }
postMessage(text);
`;
