/**
 * Asks a provider that is a plugin, and turns what the plugin host says into words about a provider: one that may not run, or is gone, is
 * `provider.unavailable`, with the reason and what to do. Its own errors keep their codes. Called by provider.ts.
 */
import { fail, isVoxError, type ErrorCode, type VoxError } from "../../../base/errors.ts";
import {
  OPTIONAL_ACTIONS,
  type OptionalAction,
  type ProviderAction,
} from "../../../base/provider-actions.ts";
import type { AskCall, Params, PluggedProvider } from "./plugged-provider.ts";

export type Ask = (action: ProviderAction, params: Params, call?: Partial<AskCall>) => Promise<unknown>;

/** `current`: the plugin as it is installed now; undefined where it is not. */
export function makeAsk(provider: string, current: () => PluggedProvider | undefined): Ask {
  return async (action, params, call = {}) => {
    const { signal = UNENDING } = call;
    const plugged = current();
    if (plugged === undefined) throw gone(provider);
    if (isOptional(action) && !plugged.actions.includes(action)) throw unsupported(provider, action);
    let began = false;
    try {
      return await plugged.ask(action, params, {
        ...call,
        signal,
        began(pid) {
          began = true;
          call.began?.(pid);
        },
      });
    } catch (error) {
      if (signal.aborted) throw signal.reason;
      throw isVoxError(error) ? inWords(provider, action, error, began) : error;
    }
  };
}

export function gone(provider: string): VoxError {
  return fail(
    "provider.unavailable",
    `${provider} is a plugin, and no provider of that name is installed any more`,
    {
      details: { provider, reason: "plugin.not_found" },
      hint: "install it again: voxeltron plugin install DIR",
    },
  );
}

export function unsupported(provider: string, action: OptionalAction): VoxError {
  return fail("provider.unsupported", `${provider} offers no ${action}`, {
    details: { provider, action },
    hint: `the plugin ${provider} could, by naming it in its plugin.yaml: actions: [${action}]`,
  });
}

// --- internal ---

const UNENDING = new AbortController().signal;

function isOptional(action: ProviderAction): action is OptionalAction {
  return (OPTIONAL_ACTIONS as readonly ProviderAction[]).includes(action);
}

/** It was not asked, or was cut off because it may not go on. */
const MAY_NOT: ReadonlySet<ErrorCode> = new Set([
  "plugin.not_found",
  "plugin.disabled",
  "plugin.paused",
  "plugin.suspended",
  "plugin.tampered",
  "plugin.stopped",
  "plugin.load_failed",
  "plugin.unsupported",
  "capability.denied",
  "config.invalid",
  "manifest.invalid",
]);

const ASKED: Readonly<Record<ProviderAction, string>> = {
  create: "to create",
  start: "to start",
  stop: "to stop",
  destroy: "to destroy",
  status: "for the status",
  logs: "for logs",
  stats: "for stats",
  exec: "to run a command",
};

function inWords(provider: string, action: ProviderAction, error: VoxError, began: boolean): VoxError {
  const { code, message, hint, details } = error;
  if (MAY_NOT.has(code))
    return fail(
      "provider.unavailable",
      `${provider} ${began ? `was cut off in ${action}` : `can't be asked ${ASKED[action]}`}: ${message}`,
      { hint, details: { ...details, provider, action, reason: code, began } },
    );
  if (code === "plugin.failed")
    return fail(code, `${provider} could not ${action}: ${message}`, { hint, details });
  if (code === "plugin.timeout")
    return fail(code, message, {
      details,
      hint: `to give it more time: ${action} = "…" under [plugins.timeouts.${provider}] in the daemon's configuration`,
    });
  return error;
}
