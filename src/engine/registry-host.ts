/** Container registries by the names that people and images give them. Pure. Called by registries.ts and providers/docker. */
import { fail } from "../base/errors.ts";
import { quote } from "../base/text.ts";

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
