/**
 * Whether a process is to be confined at all. Where it is to be and can't be, it is not started: platform/confine/ sees to that.
 * Pure; called where the daemon and `plugin check` are composed.
 */

export interface ConfinementFacts {
  /** What confinementReport() found. */
  readonly canConfine: boolean;
  /** Elsewhere there is nothing that could confine, and no plugin process either. */
  readonly isLinux: boolean;
  /** `[plugins] allow_unconfined`: it is a permission, not a wish, so what can be confined is. */
  readonly allowUnconfined: boolean;
}

/** For a plugin's process, which runs its code. */
export function confinePlugins({ canConfine, allowUnconfined }: ConfinementFacts): boolean {
  return canConfine || !allowUnconfined;
}

/** For the bundler's process, which reads a plugin's code and runs none of it. */
export function confineBundler(facts: ConfinementFacts): boolean {
  return facts.isLinux && confinePlugins(facts);
}
