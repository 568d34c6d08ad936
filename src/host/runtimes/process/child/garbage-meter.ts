/**
 * Says when what work left over should be collected: large texts and buffers are no part of the engine's own heap, and it lets them
 * lie until the process has more memory than it may. Used by js-main.ts and daemon-line.ts.
 */
import { LIMITS } from "../../../../base/limits.ts";

export interface GarbageMeter {
  /** Messages of so many bytes went by. */
  passed(bytes: number): void;
  /** The plugin ran for so long. */
  worked(ms: number): void;
  /** True once each time that it is due. */
  isDue(): boolean;
}

export function makeGarbageMeter(): GarbageMeter {
  let bytes = 0;
  let ms = 0;
  return {
    passed(more) {
      bytes += more;
    },
    worked(longer) {
      ms += longer;
    },
    isDue() {
      if (bytes < LIMITS.processGarbageBytes && ms < LIMITS.processGarbageMs) return false;
      bytes = 0;
      ms = 0;
      return true;
    },
  };
}
