/** One thing that the doctor looked at. Made by doctor.ts and doctor-servers.ts. */
export interface Finding {
  /** `confinement.landlock`; stable. */
  readonly name: string;
  readonly ok: boolean;
  /** False: without it there is less of a defence, and everything works. */
  readonly required: boolean;
  readonly found: string;
  readonly advice: string | null;
}
