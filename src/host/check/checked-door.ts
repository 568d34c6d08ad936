/**
 * The door of a plugin that is being checked: the real broker with its real rules, all that the manifest asks for granted, and stand-ins
 * behind it. What comes through is written down. Called by check-room.ts.
 */
import { CHECK_LIMITS } from "../../base/check-limits.ts";
import type { Clock } from "../../base/clock.ts";
import type { GrantName } from "../../base/grant-names.ts";
import { isObject } from "../../base/is-object.ts";
import { LIMITS } from "../../base/limits.ts";
import { silentLog } from "../../base/log.ts";
import { makeBroker } from "../capabilities/broker.ts";
import { makeCatalogue } from "../capabilities/catalogue.ts";
import { DEFAULT_QUOTA } from "../capabilities/quota.ts";
import { requestsOf, type Manifest } from "../manifest/manifest.ts";
import type { PluginDoor } from "../runtimes/runtime.ts";
import { makeStandIns } from "./stand-ins.ts";

export interface CheckedDoor {
  readonly door: PluginDoor;
  /** Calls that need a grant, in order. */
  readonly uses: readonly Use[];
  /** The last lines that it logged. */
  readonly lines: readonly string[];
  /** From now on what is optional is not granted. */
  withholdOptional(): void;
  close(): void;
}

export interface Use {
  readonly method: string;
  readonly capability: string | null;
  readonly target: string | null;
  /** `ok`, or the code of the error. */
  readonly outcome: string;
}

export function makeCheckedDoor(manifest: Manifest, clock: Clock): CheckedDoor {
  const channels = new Set<string>();
  const uses: Use[] = [];
  const lines: string[] = [];
  let hasOptional = true;
  const standIns = makeStandIns({ clock, channels: () => [...channels], services: servicesOf(manifest) });
  const named = (requests: Manifest["required"]): ReadonlySet<GrantName> =>
    new Set(requests.map(({ capability }) => capability));
  const broker = makeBroker({
    methods: makeCatalogue(standIns.powers),
    callerOf: () => ({
      plugin: manifest.name,
      grants: new Map(
        (hasOptional ? requestsOf(manifest) : manifest.required).map(({ capability, scope }) => [
          capability,
          scope,
        ]),
      ),
      requested: named(requestsOf(manifest)),
      optional: named(manifest.optional),
      withheld: new Set<never>(),
    }),
    audit: {
      append({ method, capability, target, outcome }) {
        if (uses.length < CHECK_LIMITS.uses) uses.push({ method, capability, target, outcome });
      },
    },
    pluginLogs: {
      append(_plugin, { level, text }) {
        lines.push(`${level}: ${text}`);
        if (lines.length > LIMITS.execLastWords) lines.shift();
        return 0;
      },
    },
    quota: () => DEFAULT_QUOTA,
    clock,
    log: silentLog,
  });
  const door = broker.doorFor(manifest.name);
  return {
    door: {
      get methods() {
        return door.methods;
      },
      log: (...line) => door.log(...line),
      invoke(method, params, signal, origin) {
        const channel = isObject(params) ? params["channel"] : undefined;
        if (method === "notify.send" && typeof channel === "string") channels.add(channel);
        return door.invoke(method, params, signal, origin);
      },
    },
    uses,
    lines,
    withholdOptional() {
      hasOptional = false;
    },
    close: () => standIns.close(),
  };
}

// --- internal ---

/** Those that it may see, and the one of the sample events. */
function servicesOf(manifest: Manifest): readonly string[] {
  const scopes = requestsOf(manifest)
    .filter(({ capability }) => capability === "docker_read" || capability === "docker_write")
    .flatMap(({ scope }) => scope ?? []);
  return [...new Set(["web", ...scopes.filter((entry) => entry !== "all")])];
}
