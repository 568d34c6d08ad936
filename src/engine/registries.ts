/**
 * Who the daemon is at private container registries. Passwords are sealed in the state, and leave only towards a provider that
 * pulls from their host. Called by the API server; `authFor` by engine/deploys and reconcile.ts.
 */
import { timestamp, type Clock } from "../base/clock.ts";
import { fail } from "../base/errors.ts";
import { quote } from "../base/text.ts";
import type { RegistryRows } from "../state/registries.ts";
import type { RegistryAuth } from "./providers/provider.ts";
import type { SecretBox } from "./secret-box.ts";

export interface Registries {
  /** Stores it; a wrong password shows at the first pull. Throws `service.invalid` for what is no host. */
  login(login: RegistryAuth): void;
  list(): { readonly host: string; readonly username: string }[];
  /** Throws `registry.not_found`. */
  logout(host: string): void;
  /** For the registry that this image comes from. Throws `secret.unreadable`. */
  authFor(image: string): RegistryAuth | undefined;
}

export function makeRegistries(rows: RegistryRows, box: SecretBox, clock: Clock): Registries {
  return {
    login({ host: text, username, password }) {
      const host = parseRegistryHost(text);
      if (username === "" || password === "")
        throw fail(
          "service.invalid",
          "a registry login has a user name and a password, and one of them is empty",
        );
      const sealed = box.seal(password, purpose(host));
      rows.put({ host, username, password: sealed, updatedAt: timestamp(clock.now()) });
    },
    list: () => rows.list().map(({ host, username }) => ({ host, username })),
    logout(text) {
      const host = parseRegistryHost(text);
      if (!rows.remove(host)) throw fail("registry.not_found", `there is no login for ${quote(host)}`);
    },
    authFor(image) {
      const row = rows.find(registryOf(image));
      if (row === undefined) return undefined;
      const { host, username } = row;
      return { host, username, password: box.open(row.password, purpose(host)) };
    },
  };
}

/** The host that an image reference names, as Docker reads it: `docker.io` where it names none. */
export function registryOf(image: string): string {
  const slash = image.indexOf("/");
  const first = slash < 0 ? "" : image.slice(0, slash);
  const isHost = first === "localhost" || /[.:]/.test(first);
  return isHost ? canonical(first) : DOCKER_HUB;
}

/** `ghcr.io`, `registry.example.com:5000`; a scheme and a path, as people paste them, are left out. */
export function parseRegistryHost(text: string): string {
  const host = text
    .trim()
    .replace(/^https?:\/\//i, "")
    .replace(/\/.*$/, "");
  if (/^[a-z0-9](?:[a-z0-9.-]{0,252})(?::\d{1,5})?$|^\[[0-9a-f:]+\](?::\d{1,5})?$/i.test(host))
    return canonical(host);
  throw fail("service.invalid", `a registry is a host such as ghcr.io, and got ${quote(text)}`);
}

// --- internal ---

const DOCKER_HUB = "docker.io";

function canonical(host: string): string {
  const lower = host.toLowerCase();
  return ["index.docker.io", "registry-1.docker.io"].includes(lower) ? DOCKER_HUB : lower;
}

function purpose(host: string): string {
  return `registry:${host}`;
}
