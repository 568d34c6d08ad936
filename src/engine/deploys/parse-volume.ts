/** Reads `--volume SRC:DST[:ro]`. Pure; what a provider makes of it is the provider's business. Called by deploy-input.ts. */
import { posix } from "node:path";
import { fail } from "../../base/errors.ts";
import { quote } from "../../base/text.ts";
import type { Volume } from "../providers/provider.ts";

export function parseVolume(text: string): Volume {
  const parts = text.split(":");
  const broken = RULES.find((rule) => !rule.holds(parts));
  if (broken !== undefined)
    throw fail("service.invalid", `a volume ${broken.says}, and got ${quote(text)}`, {
      hint: "for example data:/var/lib/app, or /srv/site:/site:ro",
    });
  const [source = "", target = "", mode] = parts;
  return { source, target, readOnly: mode === "ro" };
}

/** As an operator would write it. */
export function formatVolume(volume: Volume): string {
  return `${volume.source}:${volume.target}${volume.readOnly ? ":ro" : ""}`;
}

// --- internal ---

interface Rule {
  readonly says: string;
  holds(parts: readonly string[]): boolean;
}

const NAME = /^[a-zA-Z0-9][\w.-]{0,200}$/;

const RULES: readonly Rule[] = [
  { says: "is SOURCE:TARGET[:ro]", holds: (parts) => parts.length === 2 || parts.length === 3 },
  {
    says: "starts with its name or an absolute path of the host",
    holds: ([source = ""]) => NAME.test(source) || isPlainPath(source),
  },
  { says: "goes to an absolute path inside the instance", holds: ([, target = ""]) => isPlainPath(target) },
  { says: "ends in :ro, :rw or its target", holds: ([, , mode = "rw"]) => mode === "ro" || mode === "rw" },
];

/** Absolute, without `..` or doubled slashes, and not the root itself. */
function isPlainPath(path: string): boolean {
  return path.startsWith("/") && path !== "/" && !path.includes("\0") && posix.normalize(path) === path;
}
