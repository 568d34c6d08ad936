/** A service as people read it. */
import type { ServiceDetails, ServiceView } from "../api/operations.ts";
import { formatBytes, printable } from "../base/text.ts";
import { facts, table } from "./output.ts";
import { usageRows } from "./usage-text.ts";

export function serviceLine(service: ServiceView): string {
  const { address: at, state } = service;
  const address = at === null || state !== "running" ? "" : ` at ${printable(at)}`;
  return `${printable(service.name)} is ${printable(service.state)}${address}\n`;
}

/** What it runs, as short as one can tell it apart: a folder is known by its digest. */
export function imageText(image: string | null): string | null {
  return image === null ? null : image.replace(/^sha256:([0-9a-f]{12})[0-9a-f]{52}$/, "folder $1");
}

export function serviceFacts(service: ServiceDetails): string {
  const about = facts([
    ["name", service.name],
    ["state", service.state],
    ["problem", service.problem],
    ["provider", service.provider],
    ["server", service.server === "local" ? null : service.server],
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
    ...usageRows(service.usage),
  ]);
  const versions = service.versions.map(({ version, image, liveSince, isLive }) => [
    version,
    imageText(image),
    liveSince,
    isLive ? "live" : "kept",
  ]);
  const kept = versions.length < 2 ? "" : `${table(["VERSION", "IMAGE", "LIVE SINCE", ""], versions, "")}\n`;
  const rows = service.deploys.map((deploy) => [
    deploy.version,
    deploy.state,
    deploy.startedAt,
    deploy.error === null ? deploy.step : `${deploy.step}: ${deploy.error}`,
  ]);
  return `${about}\n${kept}${table(["VERSION", "DEPLOY", "STARTED", "STEP"], rows, "no deploys")}`;
}
