/** A service as people read it. */
import type { ServiceDetails, ServiceView } from "../api/operations.ts";
import { formatBytes, printable } from "../base/text.ts";
import { facts, table } from "./output.ts";

export function serviceLine(service: ServiceView): string {
  const { address: at, state } = service;
  const address = at === null || state !== "running" ? "" : ` at ${printable(at)}`;
  return `${printable(service.name)} is ${printable(service.state)}${address}\n`;
}

/**
 * A line that a service wrote, for a terminal: its colours, and nothing else that a terminal obeys. A service that was taken over
 * must not write into its operator's clipboard, title or earlier lines. Whoever pipes it gets it as it is.
 */
export function logText(text: string, isTerminal: boolean): string {
  if (!isTerminal) return text;
  const shown = text.replaceAll(CONTROLS, (found) => (isHarmless(found) ? found : ""));
  return shown.includes("\u001B") ? `${shown}\u001B[0m` : shown;
}

/** What it runs, as short as one can tell it apart: a folder is known by its digest. */
export function imageText(image: string | null): string | null {
  return image === null ? null : image.replace(/^sha256:([0-9a-f]{12})[0-9a-f]{52}$/, "folder $1");
}

export function serviceFacts(service: ServiceDetails): string {
  const about = facts([
    ["name", service.name],
    ["state", service.state],
    ["provider", service.provider],
    ["image", service.image],
    ["version", service.version],
    ["address", service.address],
    ["domains", service.domains.join(", ")],
    ["port", service.port],
    ["publish", service.publish],
    ["memory", service.memoryBytes === null ? null : formatBytes(service.memoryBytes)],
    ["cpus", service.cpus],
    ["volumes", service.volumes.join(", ")],
    ["instance", service.instance],
    ["started", service.startedAt],
    ["restarts", service.restarts === 0 ? null : service.restarts],
  ]);
  const rows = service.deploys.map((deploy) => [
    deploy.version,
    deploy.state,
    deploy.startedAt,
    deploy.error === null ? deploy.step : `${deploy.step}: ${deploy.error}`,
  ]);
  return `${about}\n${table(["VERSION", "DEPLOY", "STARTED", "STEP"], rows, "no deploys")}`;
}

// --- internal ---

/** Controls, also as the beginning of what may be a colour, and what turns the direction of a text. */
const CONTROLS = /\p{Cc}\[[\d;:]{0,40}m|[\p{Cc}\p{Zl}\p{Zp}\u202a-\u202e\u2066-\u2069]/gu;

function isHarmless(found: string): boolean {
  return found.startsWith("\t") || (found.length > 1 && found.startsWith("\u001B"));
}
