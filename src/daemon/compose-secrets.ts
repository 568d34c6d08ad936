/**
 * Secrets, and what takes them out of text: both the engine and the plugin host need them, so they are made first. Called
 * by compose.ts.
 */
import { isVoxError } from "../base/errors.ts";
import { sealedKeys } from "../engine/certs/sealed-values.ts";
import { makeRegistries, registryPurpose, type Registries } from "../engine/registries.ts";
import { makeSecretBox, type SecretBox } from "../engine/secret-box.ts";
import { makeKeyRing } from "../engine/secrets/key-ring.ts";
import { makeRedaction, type Redaction } from "../engine/secrets/redaction.ts";
import { makeKeyRotation, type KeyRotation, type SealedValue } from "../engine/secrets/rotate-key.ts";
import { makeSecretReader, type SecretReader } from "../engine/secrets/secret-reader.ts";
import {
  makeServiceSecrets,
  openSecret,
  secretPurpose,
  type ServiceSecrets,
} from "../engine/secrets/service-secrets.ts";
import { makeCertificateRows } from "../state/certificates.ts";
import { flush, type Database } from "../state/database.ts";
import { makeRegistryRows } from "../state/registries.ts";
import type { ServiceState } from "../state/service-state.ts";
import { keyPlace } from "./key-place.ts";
import type { World } from "./world.ts";

export interface Secrets {
  readonly box: SecretBox;
  readonly secrets: ServiceSecrets;
  readonly redaction: Redaction;
  readonly keyRotation: KeyRotation;
  readonly registries: Registries;
  /** For plugins. */
  readonly secretReader: SecretReader;
}

/** Throws `secret.key_invalid` and `secret.key_exposed`; a key that is gone is told at the start, and by whoever needs it. */
export function composeSecrets(world: World, db: Database, state: ServiceState): Secrets {
  const { clock, log } = world;
  const registryRows = makeRegistryRows(db);
  const certificateRows = makeCertificateRows(db);

  /** What nobody could make again. */
  function values(): readonly SealedValue[] {
    return [
      ...registryRows.list().map((row) => ({
        purpose: registryPurpose(row.host),
        sealed: row.password,
        replace: (password: Uint8Array) => registryRows.put({ ...row, password }),
      })),
      ...state.secrets.list().map((row) => ({
        purpose: secretPurpose(row.service, row.name),
        sealed: row.value,
        replace: (value: Uint8Array) => state.secrets.put({ ...row, value }),
      })),
    ];
  }

  const ring = makeKeyRing(keyPlace(world.config(), world.credentials), () => values().length > 0);
  try {
    ring.keys();
  } catch (error) {
    if (!isVoxError(error) || error.code !== "secret.key_missing") throw error;
  }
  const box = makeSecretBox(ring);
  const redaction = makeRedaction(state.secrets, (row) => openSecret(box, row));
  const secrets = makeServiceSecrets({ state, box, redaction, clock });
  return {
    box,
    secrets,
    redaction,
    keyRotation: makeKeyRotation({
      ring,
      box,
      values: () => [...values(), ...sealedKeys(certificateRows)],
      transaction: state.transaction,
      flush: () => flush(db),
      log,
    }),
    registries: makeRegistries(registryRows, box, clock),
    secretReader: makeSecretReader(state, box),
  };
}
