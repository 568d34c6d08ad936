/** One file, as the rules look at it. Used by rules.ts and callers.ts. */
export interface Source {
  /** From the root: `src/host/plugins.ts`. */
  readonly path: string;
  readonly text: string;
}
