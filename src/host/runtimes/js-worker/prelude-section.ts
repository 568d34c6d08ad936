/**
 * Where the prelude is: in a section of the guest engine's own file, so that the two can't be of different builds. Read by guest.ts
 * in the Worker, written by scripts/guest-wasm.
 */

export const PRELUDE_SECTION = "voxeltron.prelude";

/** The prelude's text: a script whose value is an object with `boot`. */
export function readPrelude(module: WebAssembly.Module): string {
  const section = WebAssembly.Module.customSections(module, PRELUDE_SECTION)[0];
  if (section === undefined) throw new Error("the guest engine has no prelude");
  return new TextDecoder().decode(section);
}
