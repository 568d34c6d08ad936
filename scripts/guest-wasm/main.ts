/** `bun run scripts/guest-wasm/main.ts`: makes the guest engine that the Worker room embeds, unless it is there already. */
import { makeGuestWasm } from "./make-guest-wasm.ts";

export { makeGuestWasm };

if (import.meta.main) {
  const made = await makeGuestWasm();
  process.stdout.write(made ? "the guest engine was made\n" : "the guest engine is up to date\n");
}
