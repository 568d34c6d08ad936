/**
 * A plugin that tries every native attack from inside the room for JavaScript processes. It may import nothing that has authority, so
 * it asks for what it needs by names that no bundler can read. Bundled by bundle-hostile.ts.
 */
import type { Places } from "./attack.ts";
import { tryOut, type Outcome } from "./attacker.ts";
import type { Kernel } from "./kernel.ts";
import { takePower } from "./take-power.ts";

let kernel: Kernel | undefined;

export default {
  /** The service's name is the attack's; the image's is where everything is. */
  async on_deploy_success(event: { readonly service: string; readonly image: string }): Promise<Outcome> {
    kernel ??= await takePower();
    return await tryOut(event.service, kernel, JSON.parse(event.image) as Places);
  },
};
