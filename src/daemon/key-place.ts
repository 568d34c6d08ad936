/** Where the key is that seals secrets. Called by compose-secrets.ts, and by the doctor. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import type { KeyPlace } from "../engine/secrets/key-file.ts";
import type { Config } from "./config.ts";

/**
 * The configuration's word, else what the service manager hands in, else a file of the daemon's own. `credentials`: the folder of
 * what it hands in (`$CREDENTIALS_DIRECTORY`).
 */
export function keyPlace(
  { data_dir: dataDir, secrets }: Pick<Config, "data_dir" | "secrets">,
  credentials: string | undefined,
): KeyPlace {
  if (secrets.key_file !== undefined) return { file: secrets.key_file, kind: "file" };
  const credential = credentials === undefined ? undefined : join(credentials, CREDENTIAL);
  return credential !== undefined && existsSync(credential)
    ? { file: credential, kind: "credential" }
    : { file: join(dataDir, "secret.key"), kind: "file" };
}

// --- internal ---

/** What `systemd-creds encrypt` and `LoadCredential=` call it. */
const CREDENTIAL = "voxeltron-secret-key";
