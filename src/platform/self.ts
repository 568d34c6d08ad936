/**
 * How this program starts itself again in another role. Compiled, it is one file; from source it is Bun and main.ts.
 * The child's environment is always given in full by the caller: BUN_OPTIONS and the like must never be inherited.
 */
import { fileURLToPath } from "node:url";

/** argv that runs this program as `role`. */
export function selfCommand(...role: readonly string[]): string[] {
  return isCompiled ? [process.execPath, ...role] : [process.execPath, mainFile(), ...role];
}

/** The project's folder where the program runs from source; undefined in the executable, which needs no file beside itself. */
export function sourceFolder(): string | undefined {
  return isCompiled ? undefined : fileURLToPath(new URL("../..", import.meta.url));
}

// --- internal ---

/** True in the executable made by build.ts. */
const isCompiled: boolean = import.meta.url.includes("$bunfs");

function mainFile(): string {
  return fileURLToPath(new URL("../main.ts", import.meta.url));
}
