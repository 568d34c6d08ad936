/** `plugin grant` and `plugin revoke`: change what an installed plugin may do, by name. */
import type { PluginDetails } from "../../api/operations.ts";
import { fail } from "../../base/errors.ts";
import type { GrantName } from "../../base/grant-names.ts";
import { printable, quote } from "../../base/text.ts";

import { argument, command } from "../command.ts";
import { parseCapability, parseGrant } from "../grants.ts";
import { json } from "../output.ts";

const grant = command({
  words: "plugin grant",
  summary: "grant an installed plugin a capability that it asks for",
  args: [{ name: "name" }, { name: "cap[=scope,…]" }],
  options: {},
  notes: [
    "With a scope the plugin may use the capability for those targets only: hosts, folders, channels, services, secrets.",
    "A grant takes the place of an earlier one of the same capability: name in it all that should be allowed.",
  ],
  example:
    "voxeltron plugin grant my-plugin notify_send\n" +
    "voxeltron plugin grant my-plugin network_outbound=api.example.com:443,*.example.org\n" +
    "voxeltron plugin grant my-plugin secrets_read=web/DATABASE_PASSWORD",
  async run(context) {
    const { io, flags } = context;
    const wanted = parseGrant(argument(context, "cap[=scope,…]"));
    const input = { name: argument(context, "name"), ...wanted };
    const client = await context.client();
    const { capabilities } = await client.call("plugin.info", { name: input.name });
    const plugin = await client.call("plugin.grant", input);
    const scope = wanted.scope === undefined ? "" : ` for ${printable(wanted.scope.join(", "))}`;
    const less = shortfall(plugin, wanted.capability);
    if (less !== undefined) await io.stderr.write(`warning: it can use less than that: ${printable(less)}\n`);
    await io.stdout.write(
      flags.json
        ? json(plugin)
        : `${printable(plugin.name)} may now use ${wanted.capability}${scope}${replaced(capabilities, plugin, wanted.capability)}\n`,
    );
  },
});

const revoke = command({
  words: "plugin revoke",
  summary: "take a capability back, from the next call on",
  args: [{ name: "name" }, { name: "cap" }],
  options: {},
  example: "voxeltron plugin revoke deploy-notifier notify_send",
  async run(context) {
    const { io, flags } = context;
    const input = {
      name: argument(context, "name"),
      capability: parseWhole(argument(context, "cap")),
    };
    const plugin = await (await context.client()).call("plugin.revoke", input);
    await io.stdout.write(
      flags.json ? json(plugin) : `${printable(plugin.name)} may no longer use ${input.capability}\n`,
    );
  },
});

export const pluginGrantCommands = [grant, revoke];

// --- internal ---

type Standings = PluginDetails["capabilities"];

function grantOf(standings: Standings, capability: string): Standings[number]["granted"] {
  return standings.find((each) => each.capability === capability)?.granted ?? null;
}

/** What held before, where it was something else: who pastes two commands one after the other sees that the second took the first's place. */
function replaced(before: Standings, { capabilities }: PluginDetails, capability: string): string {
  const [old, now] = [grantOf(before, capability), grantOf(capabilities, capability)];
  if (old === null || now === null || entries(old) === entries(now)) return "";
  return ` (before: ${printable(old.scope === null ? "everything" : old.scope.join(", ") || "nothing")})`;
}

/** Why a plugin can use less of a capability than it was granted; undefined where it can use all of that. */
function shortfall({ capabilities }: PluginDetails, capability: string): string | undefined {
  const standing = capabilities.find((each) => each.capability === capability);
  if (standing === undefined || standing.granted === null) return undefined;
  const { granted, effective, why } = standing;
  const isAll = effective !== null && entries(effective) === entries(granted);
  return isAll ? undefined : (why ?? undefined);
}

function entries({ scope }: { readonly scope: readonly string[] | null }): string {
  return scope === null ? "everything" : scope.toSorted().join(",");
}

/** A part of a capability is not taken back: the grant that remains is given instead. */
function parseWhole(text: string): GrantName {
  const [name = "", ...scope] = text.split("=");
  const capability = parseCapability(name);
  if (scope.length === 0) return capability;
  throw fail("usage.invalid", `${capability} is taken back as a whole, found ${quote(text)}`, {
    hint: `to leave a part of it, grant that part: voxeltron plugin grant NAME ${capability}=SCOPE`,
  });
}
