/**
 * The powers behind the broker, for the matrix: each writes down that it was used and gives what its row says, once it may. What the
 * powers really do is the business of each family's own tests.
 */
import type { CataloguePowers } from "../../src/host/capabilities/catalogue.ts";

/** A power that does more than answer: what it does is written down by `use`. */
export type GivenPower = (use: (name: string) => unknown, ...args: readonly unknown[]) => unknown;

export interface RecordedPowers {
  readonly powers: CataloguePowers;
  /** In order, the names of those that were used. */
  readonly used: string[];
  /** From now on what is used waits until `go`. */
  hold(): void;
  go(): void;
}

/** What is only looked at (`looks`) is neither written down nor held. */
export function recordPowers(
  given: Readonly<Record<string, unknown>> = {},
  looks: readonly string[] = [],
): RecordedPowers {
  const used: string[] = [];
  let gate: PromiseWithResolvers<void> | undefined;

  function use(name: string, args: readonly unknown[]): unknown {
    const value = given[name];
    if (typeof value === "function") return (value as GivenPower)((inner) => use(inner, []), ...args);
    if (looks.includes(name)) return value;
    used.push(name);
    // Only where it is told to: a power that answers at once must not become a promise.
    return gate === undefined ? value : gate.promise.then(() => value);
  }

  return {
    powers: power("", given, use) as CataloguePowers,
    used,
    hold: () => void (gate = Promise.withResolvers()),
    go: () => gate?.resolve(),
  };
}

// --- internal ---

/** A function with functions in it, all the way down. A value that the row gives as `{value}` is no function. */
function power(
  name: string,
  given: Readonly<Record<string, unknown>>,
  use: (name: string, args: readonly unknown[]) => unknown,
): unknown {
  return new Proxy(() => {}, {
    get(_, key) {
      if (typeof key === "symbol" || key === "then") return undefined;
      const inner = name === "" ? key : `${name}.${key}`;
      const plain = given[inner];
      if (typeof plain === "object" && plain !== null && "value" in plain) return plain.value;
      return power(inner, given, use);
    },
    apply: (_target, _self, args: readonly unknown[]) => use(name, args),
  });
}
