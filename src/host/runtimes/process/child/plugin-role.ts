/**
 * The program in its role `__plugin`: gives up its power, then takes one plugin's code from descriptor 3 and runs its hooks. Reads
 * no file of the plugin's, and nothing of the plugin before it is sealed. Called by main.ts.
 */
import { messageOf } from "../../../../base/errors.ts";
import { sealProcess } from "../../../../platform/confine/seal.ts";
import { makeBlockingFrames, type BlockingFrames } from "../../../frames/blocking-frames.ts";
import { notice } from "../../wire/messages.ts";
import { receiveCode, type ReceivedCode } from "../code-frames.ts";
import { endProcess } from "./end-process.ts";

/** `words`: `js` or `wasm`, then the plugin's name, which is for who reads the list of processes. */
export async function runPluginRole([kind = ""]: readonly string[]): Promise<void> {
  const open = KINDS[kind];
  if (open === undefined) throw new Error("this role is started by the daemon only");
  const run = await open();
  sealProcess();
  const frames = makeBlockingFrames(LINK);
  try {
    // In no variable of this function, which lives as long as the process: the code may be large.
    await run(LINK, takeCode(frames));
  } catch (error) {
    // A fault of ours, or of the engine: the descriptor is all that is left to say it on.
    frames.sendText(notice("stopped", { reason: "crash", detail: messageOf(error) }));
    endProcess();
  }
}

// --- internal ---

const LINK = 3;

/** What comes first; the daemon waits for the word that it is there. */
function takeCode(frames: BlockingFrames): ReceivedCode {
  const code = receiveCode(() => frames.read() ?? endProcess());
  frames.sendText(notice("ready", {}));
  return code;
}

type RunPlugin = (descriptor: number, code: ReceivedCode) => void | Promise<void>;

/** All that a kind needs is loaded before the process is sealed: from source, it lies in files. */
const KINDS: Readonly<Record<string, () => Promise<RunPlugin>>> = {
  js: async () => (await import("./js-main.ts")).runJsPlugin,
  wasm: async () => (await import("./wasm-main.ts")).runWasmPlugin,
};
