/**
 * The one function that the guest has of its host: an operation's name and strings or buffers in, a string or a buffer
 * out. It lives in this closure only; no value that a plugin can reach leads to it.
 */
export type Bridge = (operation: string, first?: string | ArrayBuffer, second?: string) => unknown;

/** Called once, before anything of the plugin is evaluated. */
export function connectBridge(hostFunction: Bridge): void {
  bridge = hostFunction;
}

/** Runs an operation that answers with text. An operation that was refused gives the empty string. */
export function askText(operation: string, first?: string | ArrayBuffer, second?: string): string {
  const answer = bridge(operation, first, second);
  return typeof answer === "string" ? answer : "";
}

/** Runs an operation that answers with bytes, or with nothing where it was refused. */
export function askBytesIfAny(
  operation: string,
  first?: string | ArrayBuffer,
  second?: string,
): ArrayBuffer | undefined {
  const answer = bridge(operation, first, second);
  return typeof answer === "object" && answer !== null ? (answer as ArrayBuffer) : undefined;
}

/** The same for an operation that is refused only where the data is at fault. */
export function askBytes(operation: string, first?: string | ArrayBuffer, second?: string): ArrayBuffer {
  const answer = askBytesIfAny(operation, first, second);
  if (answer === undefined) throw new TypeError("the data is too large or not readable");
  return answer;
}

// --- internal ---

let bridge: Bridge = () => undefined;
