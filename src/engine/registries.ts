/**
 * Who the daemon is at private container registries. Passwords are sealed in the state, and leave only towards a provider that
 * pulls from their host. Called by the API server; `authFor` by the parts that deploy and revive services.
 */
import { timestamp, type Clock } from "../base/clock.ts";
import { fail } from "../base/errors.ts";
import { quote } from "../base/text.ts";
import type { RegistryRow, RegistryRows } from "../state/registries.ts";
import type { RegistryAuth } from "./providers/provider.ts";
import { parseRegistryHost, registryOf } from "./registry-host.ts";
import type { SecretBox } from "./secret-box.ts";

export interface Registries {
  /** Stores it; a wrong password shows at the first pull. Throws `service.invalid` for what is no host. */
  login(login: RegistryAuth): void;
  list(): { readonly host: string; readonly username: string }[];
  /** Throws `registry.not_found`. */
  logout(host: string): void;
  /** For the registry that this image comes from. Throws `secret.unreadable`. */
  authFor(image: string): RegistryAuth | undefined;
  /** All of them, for a build. Throws `secret.unreadable`. */
  logins(): readonly RegistryAuth[];
}

export function makeRegistries(rows: RegistryRows, box: SecretBox, clock: Clock): Registries {
  const open = ({ host, username, password }: RegistryRow): RegistryAuth => ({
    host,
    username,
    password: box.open(password, registryPurpose(host)),
  });

  return {
    login({ host: text, username, password }) {
      const host = parseRegistryHost(text);
      if (username === "" || password === "")
        throw fail(
          "service.invalid",
          "a registry login has a user name and a password, and one of them is empty",
        );
      const sealed = box.seal(password, registryPurpose(host));
      rows.put({ host, username, password: sealed, updatedAt: timestamp(clock.now()) });
    },
    list: () => rows.list().map(({ host, username }) => ({ host, username })),
    logout(text) {
      const host = parseRegistryHost(text);
      if (!rows.remove(host)) throw fail("registry.not_found", `there is no login for ${quote(host)}`);
    },
    authFor(image) {
      const row = rows.find(registryOf(image));
      return row === undefined ? undefined : open(row);
    },
    logins: () => rows.list().map(open),
  };
}

export function registryPurpose(host: string): string {
  return `registry:${host}`;
}
