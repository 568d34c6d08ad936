/**
 * A plugin's folder in memory: what was uploaded, embedded or read back from the store. Paths are relative, plain and
 * free of surprises (see archive-path.ts). Bounded by LIMITS.pluginUploadBytes.
 */
export type PackageFiles = ReadonlyMap<string, PackageFile>;

export interface PackageFile {
  readonly bytes: Uint8Array;
  /** The owner's execute bit: all of the mode that is kept. */
  readonly executable: boolean;
}
