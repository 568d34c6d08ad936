/**
 * The process that attacks: gives up its power as a plugin's process does, then makes every attack that it is told by name on
 * descriptor 3, and says how it ended. What it is told last may be nothing: a word that only wakes it.
 */
import type { NativeAttack, Places } from "./attack.ts";
import { ATTACKS } from "./attacks/all.ts";
import { frameOf, HEAD_BYTES } from "./frame.ts";
import type { Kernel } from "./kernel.ts";

export interface Order {
  readonly attack: string;
  readonly places: Places;
}

/** How an attack ended in the attacking process; one that ends the process has no outcome. */
export type Outcome =
  | { readonly kind: "got"; readonly got: unknown }
  | { readonly kind: "refused"; readonly code: string; readonly message: string };

export async function attackOnOrder(kernel: Kernel): Promise<void> {
  for (;;) {
    const text = readFrame(kernel);
    if (text === undefined) return;
    if (text === "") continue;
    const { attack, places } = JSON.parse(text) as Order;
    writeFrame(kernel, JSON.stringify(await tryOut(attack, kernel, places)));
  }
}

export async function tryOut(name: string, kernel: Kernel, places: Places): Promise<Outcome> {
  const attack = ATTACKS.find((candidate) => candidate.name === name);
  if (attack === undefined)
    return { kind: "refused", code: "unknown", message: `no attack is called ${name}` };
  try {
    return { kind: "got", got: (await attempt(attack, kernel, places)) ?? null };
  } catch (error) {
    const message = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
    return { kind: "refused", code: codeOf(error), message };
  }
}

// --- internal ---

const OWN = 3;
const ANSWER_CHARS = 4000;

async function attempt(attack: NativeAttack, kernel: Kernel, places: Places): Promise<unknown> {
  const got = await attack.run(kernel, places);
  return typeof got === "string" ? got.slice(0, ANSWER_CHARS) : got;
}

/** The runtime's errors have the kernel's names, or names of its own. */
function codeOf(error: unknown): string {
  const { code, name } = error as { readonly code?: unknown; readonly name?: unknown };
  return typeof code === "string" ? code : String(name);
}

function readFrame(kernel: Kernel): string | undefined {
  const head = readExactly(kernel, HEAD_BYTES);
  if (head === undefined) return undefined;
  const length = new DataView(head.buffer).getUint32(0, true);
  const body = readExactly(kernel, length);
  return body === undefined ? undefined : new TextDecoder().decode(body);
}

function readExactly(kernel: Kernel, length: number): Uint8Array<ArrayBuffer> | undefined {
  const bytes = new Uint8Array(length);
  let have = 0;
  while (have < length) {
    const part = new Uint8Array(length - have);
    const read = kernel.call("read", OWN, part, part.length);
    if (read === 0) return undefined;
    bytes.set(part.subarray(0, read), have);
    have += read;
  }
  return bytes;
}

function writeFrame(kernel: Kernel, text: string): void {
  const frame = frameOf(text);
  let sent = 0;
  while (sent < frame.length) {
    const rest = frame.slice(sent);
    sent += kernel.call("write", OWN, rest, rest.length);
  }
}
