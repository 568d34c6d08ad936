/**
 * Reads the ports of a workspace, as the devbox plugin API has them: a name or the port inside, and the port of the host that leads
 * there. Pure. Called by workspace-input.ts.
 */
import { fail } from "../../base/errors.ts";
import { LIMITS } from "../../base/limits.ts";
import { quote } from "../../base/text.ts";
import { portVariable } from "../providers/process/port-variable.ts";
import type { PortBinding } from "../providers/provider.ts";

/** `{"app": 8080}`: 8080 on both sides; `{"3000": 8080}`: 3000 inside. Throws `workspace.invalid`. */
export function parsePorts(ports: Readonly<Record<string, number>>): readonly PortBinding[] {
  const found = Object.entries(ports).map(([key, outside]) => parsePort(key, outside));
  if (found.length > LIMITS.workspacePorts)
    throw fail(
      "workspace.invalid",
      `a workspace has at most ${LIMITS.workspacePorts} ports, and got ${found.length}`,
    );
  const twice = found.find(({ outside }, at) =>
    found.slice(0, at).some((other) => other.outside === outside),
  );
  if (twice !== undefined)
    throw fail(
      "workspace.invalid",
      `the host's port ${twice.outside} is given to two ports of the workspace`,
    );
  const same = found.find(({ key }, at) =>
    found.slice(0, at).some((other) => portVariable(other.key) === portVariable(key)),
  );
  if (same !== undefined)
    throw fail(
      "workspace.invalid",
      `two ports have the name ${quote(same.key)}, capital letters and dashes apart`,
    );
  return found;
}

// --- internal ---

function parsePort(key: string, outside: number): PortBinding {
  if (!isPort(outside))
    throw fail(
      "workspace.invalid",
      `a port of the host is a whole number from 1 to 65535, and got ${outside}`,
    );
  if (NAME.test(key)) return { key, inside: outside, outside };
  const inside = Number(key);
  if (/^[1-9]\d*$/.test(key) && isPort(inside)) return { key, inside, outside };
  throw fail(
    "workspace.invalid",
    `a port has a name of letters, digits and dashes, or is a number from 1 to 65535, and got ${quote(key)}`,
    { hint: "for example app=8080, or 3000=8080 where it is 3000 inside" },
  );
}

const NAME = /^[A-Za-z][A-Za-z0-9_-]{0,62}$/;

function isPort(port: number): boolean {
  return Number.isInteger(port) && port >= 1 && port <= 65_535;
}
