/** One method of the broker in the matrix: how it is called, what must come of it, and what its grant can leave out. Pure types; rows.ts has them. */
import type { Capability } from "../../src/sdk/index.ts";

export interface Row {
  /** The capability that is granted and withdrawn; undefined: every plugin has the method. */
  readonly capability: Capability | undefined;
  /** The parameters, as a WASM module gives them. */
  readonly params: unknown;
  /** What the power behind it gives, by the power's name (`channels.send`). */
  readonly powers?: Readonly<Record<string, unknown>>;
  /** Powers that are only looked at, to decide or to advise: their use changes nothing and gives nothing away. */
  readonly looks?: readonly string[];
  /** What the plugin gets; an error's code in `failure`. */
  readonly answer?: unknown;
  readonly failure?: string;
  /** In JavaScript, where it looks otherwise. */
  readonly inJavaScript?: unknown;
  /** A sentence that says why JavaScript has no such function. */
  readonly notInJavaScript?: string;
  /** A scope that leaves the target out; a sentence where the capability has nothing to leave out for this method. */
  readonly excluded: readonly string[] | string;
  /** The code of what was left out, where it is not `capability.out_of_scope`. */
  readonly refusal?: string;
  /** A sentence that says why nothing of it can be under way when its grant is revoked; undefined: it can. */
  readonly instant?: string;
}
