/**
 * What `plugin dev` does at each change of a folder: send it, have it taken over, say how that went. Asks for consent at first and
 * whenever the plugin asks for something else. Never ends by itself; it knows what is no reason to go on.
 */
import type { Client } from "../api/client.ts";
import type { CandidateView, PluginView } from "../api/operations.ts";
import { isVoxError, toWire } from "../base/errors.ts";
import { systemClock } from "../base/clock.ts";
import { printable } from "../base/text.ts";
import type { Grants } from "./consent.ts";
import { consentTo, installPlugin, stateText, type Terms } from "./install-plugin.ts";
import type { Io } from "./io.ts";
import { jsonLine, reportError } from "./output.ts";
import { uploadFolder } from "./upload.ts";

export interface DevSession {
  /** Takes over what is in the folder now. Throws only what makes it senseless to go on. */
  take(): Promise<void>;
  /** The plugin's name, once it is installed. */
  plugin(): string | undefined;
  /** What is left of it now, in words; nothing where the daemon does not say. */
  outcome(): Promise<string>;
}

export interface DevOptions {
  readonly io: Io;
  readonly client: Client;
  readonly folder: string;
  readonly terms: Terms;
  readonly json: boolean;
  readonly signal: AbortSignal;
}

export function makeDevSession(options: DevOptions): DevSession {
  const { io, client, folder, json, signal } = options;
  const quiet = json;
  let plugin: string | undefined;
  let isFirst = true;
  let consented: { readonly candidate: CandidateView; readonly grants: Grants } | undefined;

  async function show(what: "installed" | "reloaded", view: PluginView, startedAt: number): Promise<void> {
    const durationMs = Math.round(systemClock.monotonic() - startedAt);
    const state = view.state === "enabled" ? "" : `, now ${stateText(view)}`;
    const name = `${printable(view.name)} v${printable(view.version)}`;
    await io.stdout.write(
      json
        ? jsonLine({ event: what, durationMs, plugin: view })
        : `${what} ${name} in ${durationMs} ms${state}\n`,
    );
  }

  /** The same wishes as those that were just consented to need no second answer: that attempt failed for another reason. */
  async function grantsFor(candidate: CandidateView): Promise<Grants> {
    if (consented === undefined || wishesOf(consented.candidate) !== wishesOf(candidate))
      consented = { candidate, grants: await consentTo(candidate, { ...options, quiet }) };
    return consented.grants;
  }

  async function install(): Promise<void> {
    const source = { upload: await uploadFolder(client, folder, "plugin", signal) };
    const candidate = await client.call("plugin.inspect", { source }, { signal });
    const grants = await grantsFor(candidate);
    const startedAt = systemClock.monotonic();
    const view = await installPlugin(options, source, candidate, grants);
    plugin = view.name;
    await show("installed", view, startedAt);
  }

  /** Whoever removed it took back what was consented to. */
  function forget(): void {
    plugin = undefined;
    consented = undefined;
  }

  /** False where it takes an install: the plugin asks for what nobody consented to, or was removed meanwhile. */
  async function reload(name: string, startedAt: number): Promise<boolean> {
    try {
      const upload = await uploadFolder(client, folder, "plugin", signal);
      const { changed, ...view } = await client.call("plugin.reload", { name, upload }, { signal });
      if (changed) await show("reloaded", view, startedAt);
      return true;
    } catch (error) {
      if (isRemoved(error)) forget();
      else if (!isVoxError(error) || error.code !== "consent.needed") throw error;
      return false;
    }
  }

  function isHopeless(error: unknown): boolean {
    if (!isVoxError(error) || error.kind === "unreachable") return true;
    const isConsent = error.code.startsWith("consent.");
    return (plugin === undefined && isConsent) || (isFirst && error.code.startsWith("upload."));
  }

  return {
    plugin: () => plugin,
    async outcome() {
      if (plugin === undefined) return "; nothing stays installed";
      try {
        await client.call("plugin.info", { name: plugin });
        return `; ${plugin} stays installed`;
      } catch (error) {
        return isRemoved(error) ? `; ${plugin} is not installed any more` : "";
      }
    },
    async take() {
      const startedAt = systemClock.monotonic();
      try {
        if (plugin === undefined || !(await reload(plugin, startedAt))) await install();
      } catch (error) {
        if (signal.aborted) return;
        if (isHopeless(error)) throw error;
        if (json) await io.stdout.write(jsonLine({ event: "error", error: toWire(error) }));
        else await reportError(io, error, false);
      } finally {
        isFirst = false;
      }
    },
  };
}

// --- internal ---

function isRemoved(error: unknown): boolean {
  return isVoxError(error) && error.code === "plugin.not_found";
}

/** What was consented to, as text that is the same where nothing of it changed. */
function wishesOf({ name, kind, digest, required, optional, hooks }: CandidateView): string {
  const gates = hooks.filter(({ gate }) => gate).map(({ hook }) => hook);
  const wishes = [required, optional].map((list) =>
    list.map(({ capability, scope }) => [capability, scope ?? null]),
  );
  // Consent to an executable is consent to these files.
  return JSON.stringify([name, wishes, gates, kind === "exec" ? digest : null]);
}
