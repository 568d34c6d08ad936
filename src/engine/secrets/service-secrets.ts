/**
 * The secrets of services: set, listed without their values, taken away, and opened for an instance that starts. A service need
 * not exist yet: its first deploy may already want them. A name is either a secret or a plain variable, never both.
 * Called by the API server; `values` by the providers.
 */
import { timestamp, type Clock } from "../../base/clock.ts";
import { fail, type VoxError } from "../../base/errors.ts";
import { LIMITS } from "../../base/limits.ts";
import { quote } from "../../base/text.ts";
import type { ServiceSecretRow } from "../../state/service-secrets.ts";
import type { ServiceState } from "../../state/service-state.ts";
import { parseServiceName } from "../deploys/deploy-input.ts";
import { checkEnvValue, parseEnvKey } from "../deploys/parse-env.ts";
import type { SecretBox } from "../secret-box.ts";
import { canRedact } from "./redact.ts";
import type { Redaction } from "./redaction.ts";

export interface ServiceSecrets {
  /** Throws `secret.invalid`, `secret.name_taken`, `service.invalid`, `secret.key_*`. */
  set(service: string, name: string, value: string): SecretSet;
  /** Of one service, or of all. Throws `service.not_found` for a service that is neither there nor has secrets. */
  list(service?: string): SecretView[];
  /** All of them or none. Throws `secret.not_found`. */
  unset(service: string, names: readonly string[]): void;
  /** What an instance of it is started with. Throws `secret.unreadable`, `secret.key_*`. */
  values(service: string): Readonly<Record<string, string>>;
}

export interface SecretView {
  readonly service: string;
  readonly name: string;
  readonly updatedAt: string;
}

export interface SecretSet {
  /** False where the service is yet to be deployed. */
  readonly isDeployed: boolean;
  /** False where it is too short to be told from other text in logs. */
  readonly isRedacted: boolean;
}

export interface ServiceSecretsParts {
  readonly state: ServiceState;
  readonly box: SecretBox;
  readonly redaction: Pick<Redaction, "remember">;
  readonly clock: Clock;
}

export function makeServiceSecrets({ state, box, redaction, clock }: ServiceSecretsParts): ServiceSecrets {
  /** What runs may print it for a while. What can't be opened was printed by nobody. */
  function remember(row: ServiceSecretRow): void {
    try {
      redaction.remember(row.service, openSecret(box, row));
    } catch {
      // Nothing to remember.
    }
  }

  return {
    set(service, name, value) {
      parseServiceName(service);
      parseEnvKey(name);
      checkValue(name, value);
      const before = state.secrets.find(service, name);
      if (Object.hasOwn(state.env.all(service), name)) throw isPlain(service, name);
      if (before === undefined && state.secrets.list(service).length >= LIMITS.secretsPerService)
        throw fail(
          "secret.invalid",
          `${service} has ${LIMITS.secretsPerService} secrets, and may have no more`,
        );
      const sealed = box.seal(value, secretPurpose(service, name));
      if (before !== undefined) remember(before);
      state.secrets.put({ service, name, value: sealed, updatedAt: timestamp(clock.now()) });
      return { isDeployed: state.services.find(service) !== undefined, isRedacted: canRedact(value) };
    },
    list(service) {
      const rows = state.secrets.list(service);
      if (service !== undefined && rows.length === 0 && state.services.find(service) === undefined)
        throw fail("service.not_found", `no service is called ${quote(service)}`);
      return rows.map(({ service: of, name, updatedAt }) => ({ service: of, name, updatedAt }));
    },
    unset(service, names) {
      const rows = names.map((name) => state.secrets.find(service, name) ?? notFound(service, name, state));
      state.transaction(() => {
        for (const { name } of rows) state.secrets.remove(service, name);
      });
      for (const row of rows) remember(row);
    },
    values: (service) =>
      Object.fromEntries(state.secrets.list(service).map((row) => [row.name, openSecret(box, row)])),
  };
}

/** Throws `secret.name_taken` where a variable that is to be set in plain is a secret of the service. */
export function checkPlainNames(state: ServiceState, service: string, names: readonly string[]): void {
  const taken = names.find((name) => state.secrets.find(service, name) !== undefined);
  if (taken !== undefined)
    throw fail("secret.name_taken", `${taken} is a secret of ${service}, and can't be a plain variable too`, {
      hint: `give it another value with: voxeltron secret set ${service} ${taken}; or take it away with: voxeltron secret unset ${service} ${taken}`,
    });
}

export function openSecret(box: SecretBox, { service, name, value }: ServiceSecretRow): string {
  return box.open(value, secretPurpose(service, name));
}

export function secretPurpose(service: string, name: string): string {
  return `secret:${service}/${name}`;
}

// --- internal ---

/** The errors never show a value. */
function checkValue(name: string, value: string): void {
  if (value === "") throw fail("secret.invalid", `the value of ${name} is empty`);
  checkEnvValue(name, value, "secret.invalid");
}

function isPlain(service: string, name: string): VoxError {
  return fail("secret.name_taken", `${name} is a plain variable of ${service}, and can't be a secret too`, {
    hint: `take it away first, with: voxeltron env unset ${service} ${name}`,
  });
}

function notFound(service: string, name: string, state: ServiceState): never {
  const plain = Object.hasOwn(state.env.all(service), name);
  throw fail(
    "secret.not_found",
    `${quote(service)} has no secret ${quote(name)}`,
    plain ? { hint: `it is a plain variable: voxeltron env unset ${service} ${name}` } : {},
  );
}
