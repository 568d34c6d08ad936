/**
 * All checks of code that lives in a walled room: it is loaded as an install would, in the room where it will run, and each of its hooks
 * is called, with stand-ins behind its door. Called by check-plugin.ts.
 */
import type { Clock } from "../../base/clock.ts";
import { isVoxError, type VoxError } from "../../base/errors.ts";
import type { HookName } from "../../sdk/index.ts";
import { chooseRoom } from "../choose-room.ts";
import { guestOf } from "../installed/guest.ts";
import type { PluginPackage } from "../install/make-package.ts";
import { hookNames, type HookRequest, type Manifest } from "../manifest/manifest.ts";
import type { OpenRoom, Room, WalledRoomKind } from "../runtimes/runtime.ts";
import { tellCapabilities, usesOf, type CapabilityUse } from "./capability-use.ts";
import { makeCheckedDoor, type CheckedDoor } from "./checked-door.ts";
import type { CheckId } from "./checks.ts";
import type { Findings } from "./findings.ts";
import type { SampleEvent } from "./sample-event.ts";
import { unusualEvent } from "./unusual.ts";

export interface RoomCheck {
  readonly manifest: Manifest;
  readonly code: PluginPackage;
  readonly findings: Findings;
  readonly openRooms: Readonly<Record<WalledRoomKind, OpenRoom>>;
  readonly canConfine: boolean;
  readonly sample: SampleEvent;
  readonly clock: Clock;
  /** No hook gets more time than this, whatever the manifest says. */
  readonly mostMs: number;
  readonly signal: AbortSignal | undefined;
}

export async function checkRoom(check: RoomCheck): Promise<readonly CapabilityUse[]> {
  const { manifest, findings, clock } = check;
  const checked = makeCheckedDoor(manifest, clock);
  const keeper = makeKeeper(check, checked);
  try {
    const first = await keeper.room();
    if (isVoxError(first)) {
      tellLoad(findings, first);
      return [];
    }
    findings.passed("code.loads");
    const missing = hookNames(manifest).filter((hook) => !first.handlers.includes(hook));
    for (const subject of missing)
      findings.failed("code.handlers", `${check.code.main} has none`, { subject });
    if (missing.length === 0) findings.passed("code.handlers");
    const there = manifest.hooks.filter(({ hook }) => !missing.includes(hook));
    const good = await callHooks(check, keeper, there);
    tellCapabilities(findings, manifest, checked);
    const uses = usesOf(manifest, checked);
    await callWithoutOptional(check, keeper, checked, good);
    return uses;
  } finally {
    await keeper.close();
    checked.close();
  }
}

// --- internal ---

interface Keeper {
  /** A new one where the last is no good any more; an error where there can't be one. */
  room(): Promise<Room | VoxError>;
  renew(): Promise<void>;
  close(): Promise<void>;
}

function makeKeeper(check: RoomCheck, { door }: CheckedDoor): Keeper {
  const { manifest, code, openRooms, canConfine } = check;
  const { room: kind } = chooseRoom({
    tier: manifest.tier,
    manifestIsolation: manifest.isolation,
    operatorIsolation: undefined,
    builtins: code.builtins,
    struckOut: false,
    canConfine,
  });
  const open = openRooms[kind as WalledRoomKind];
  let current: Room | undefined;

  async function close(): Promise<void> {
    const old = current;
    current = undefined;
    await old?.stop();
  }

  return {
    async room() {
      if (current?.alive === true) return current;
      await close();
      try {
        current = await open(guestOf(manifest, code.code, manifest.config, undefined), door);
        return current;
      } catch (error) {
        if (isVoxError(error)) return error;
        throw error;
      }
    },
    renew: close,
    close,
  };
}

/** Undefined: it ended well. */
async function call(
  { manifest, mostMs, signal }: RoomCheck,
  keeper: Keeper,
  hook: HookName,
  event: unknown,
): Promise<VoxError | undefined> {
  const room = await keeper.room();
  if (isVoxError(room)) return room;
  try {
    await room.call(hook, event, { deadlineMs: Math.min(manifest.timeoutMs, mostMs), signal });
    return undefined;
  } catch (error) {
    if (isVoxError(error)) return error;
    throw error;
  }
}

/** Gives those that took their sample. */
async function callHooks(
  check: RoomCheck,
  keeper: Keeper,
  hooks: readonly HookRequest[],
): Promise<readonly HookRequest[]> {
  const { findings, sample, signal } = check;
  const good: HookRequest[] = [];
  for (const request of hooks) {
    const { hook: subject, gate } = request;
    if (signal?.aborted === true) {
      findings.skipped("hook.sample", "it was interrupted", { subject });
      continue;
    }
    const event = sample(subject);
    const problem = await call(check, keeper, subject, event);
    if (!tell(findings, "hook.sample", subject, problem, gate ? "warned" : "failed")) {
      findings.skipped("hook.unusual", "the sample was not taken", { subject });
      continue;
    }
    good.push(request);
    // Gates are asked once.
    if (!gate) tell(findings, "hook.again", subject, await call(check, keeper, subject, event), "failed");
    const unusual = await call(check, keeper, subject, unusualEvent(subject, event));
    tell(findings, "hook.unusual", subject, unusual, gate ? "passed" : "failed");
  }
  return good;
}

async function callWithoutOptional(
  check: RoomCheck,
  keeper: Keeper,
  checked: CheckedDoor,
  hooks: readonly HookRequest[],
): Promise<void> {
  const { manifest, findings, sample } = check;
  if (manifest.optional.length === 0 || !findings.wants("hook.without_optional")) return;
  checked.withholdOptional();
  await keeper.renew();
  for (const { hook, gate } of hooks)
    tell(
      findings,
      "hook.without_optional",
      hook,
      await call(check, keeper, hook, sample(hook)),
      gate ? "warned" : "failed",
    );
}

/** A gate's own refusal is an answer: it counts as `refusal` says. */
function tell(
  findings: Findings,
  check: CheckId,
  subject: HookName,
  problem: VoxError | undefined,
  refusal: "passed" | "warned" | "failed",
): boolean {
  if (problem === undefined) findings.passed(check, { subject });
  else if (problem.code === "operation.interrupted")
    findings.skipped(check, "it was interrupted", { subject });
  else if (problem.code !== "plugin.failed") findings.failed(check, problem, { subject });
  else if (refusal === "passed") findings.passed(check, { subject, note: `refused: ${problem.message}` });
  else findings[refusal](check, problem, { subject });
  return problem === undefined;
}

/** What this machine can't do says nothing of the plugin. */
function tellLoad(findings: Findings, problem: VoxError): void {
  if (problem.code.startsWith("confinement."))
    findings.skipped("code.loads", `not looked at: ${problem.message}`);
  else findings.failed("code.loads", problem);
}
