/**
 * The environment that a service's next deploy gives to its instance. The instance that runs keeps what it was started with.
 * Called by the API server.
 */
import { fail } from "../../base/errors.ts";
import { quote } from "../../base/text.ts";
import type { ServiceState } from "../../state/service-state.ts";
import { checkPlainNames } from "../secrets/service-secrets.ts";
import { parseEnv, parseEnvKey } from "../deploys/parse-env.ts";

/** All throw `service.not_found`. */
export interface ServiceEnvironment {
  list(service: string): Readonly<Record<string, string>>;
  /** Throws `service.invalid`, `secret.name_taken`. */
  set(service: string, env: Readonly<Record<string, string>>): void;
  /** Throws `service.invalid` for a variable that is not set. */
  unset(service: string, keys: readonly string[]): void;
}

export function makeServiceEnvironment(state: ServiceState): ServiceEnvironment {
  function check(service: string): void {
    if (state.services.find(service) === undefined)
      throw fail("service.not_found", `no service is called ${quote(service)}`);
  }
  return {
    list(service) {
      check(service);
      return state.env.all(service);
    },
    set(service, env) {
      check(service);
      parseEnv(env);
      checkPlainNames(state, service, Object.keys(env));
      state.transaction(() => state.env.set(service, env));
    },
    unset(service, keys) {
      check(service);
      const found = state.env.all(service);
      const unknown = keys.find((key) => !Object.hasOwn(found, parseEnvKey(key)));
      if (unknown !== undefined)
        throw fail("service.invalid", `${service} has no variable ${quote(unknown)}`);
      state.transaction(() => state.env.unset(service, keys));
    },
  };
}
