/**
 * What a plugin that may read secrets reads: the variables that a service's next instance starts with, secret or plain, as its
 * program would see them. Who may read what is not decided here. Given to host/capabilities by daemon/compose.ts.
 */
import { fail } from "../../base/errors.ts";
import { quote } from "../../base/text.ts";
import type { ServiceState } from "../../state/service-state.ts";
import type { SecretBox } from "../secret-box.ts";
import { openSecret } from "./service-secrets.ts";

export interface SecretReader {
  /** Throws `secret.not_found`, `secret.unreadable`, `secret.key_*`. */
  get(service: string, name: string): string;
  /** In order. Throws `service.not_found` for a service that is neither there nor has secrets. */
  names(service: string): readonly string[];
}

export function makeSecretReader(state: ServiceState, box: SecretBox): SecretReader {
  return {
    get(service, name) {
      const row = state.secrets.find(service, name);
      if (row !== undefined) return openSecret(box, row);
      const plain = state.env.all(service);
      if (Object.hasOwn(plain, name)) return plain[name]!;
      throw fail("secret.not_found", `${quote(service)} has no secret or variable called ${quote(name)}`);
    },
    names(service) {
      const secrets = state.secrets.list(service).map(({ name }) => name);
      const names = [...secrets, ...Object.keys(state.env.all(service))].toSorted();
      if (names.length === 0 && state.services.find(service) === undefined)
        throw fail("service.not_found", `no service is called ${quote(service)}`);
      return names;
    },
  };
}
