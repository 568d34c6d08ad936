/** Which of its rights a plugin used with sample events, and what it tried beyond them. Called by check-room.ts. */
import { requestsOf, type Manifest } from "../manifest/manifest.ts";
import type { CheckedDoor } from "./checked-door.ts";
import type { Findings } from "./findings.ts";

/** What of its rights a plugin used with sample events. */
export interface CapabilityUse {
  readonly capability: string;
  /** Undefined: it is not asked for. */
  readonly asked: "required" | "optional" | undefined;
  readonly uses: number;
  readonly refused: number;
  /** Of these, some: what was answered, and what was refused. */
  readonly calls: readonly string[];
  readonly refusedCalls: readonly string[];
}

export function usesOf(manifest: Manifest, { uses }: CheckedDoor): readonly CapabilityUse[] {
  const names = new Set([
    ...requestsOf(manifest).map(({ capability }) => capability as string),
    ...uses.flatMap(({ capability }) => capability ?? []),
  ]);
  const isIn = (list: Manifest["required"], name: string): boolean =>
    list.some(({ capability }) => capability === name);
  return [...names].map((capability) => {
    const own = uses.filter((use) => use.capability === capability);
    const refused = own.filter(({ outcome }) => REFUSALS.has(outcome));
    const answered = own.filter(({ outcome }) => !REFUSALS.has(outcome));
    return {
      capability,
      asked: isIn(manifest.required, capability)
        ? "required"
        : isIn(manifest.optional, capability)
          ? "optional"
          : undefined,
      uses: answered.length,
      refused: refused.length,
      calls: callTexts(answered),
      refusedCalls: callTexts(refused),
    };
  });
}

export function tellCapabilities(findings: Findings, manifest: Manifest, checked: CheckedDoor): void {
  const all = usesOf(manifest, checked);
  const unused = all.filter(({ asked, uses, refused }) => asked !== undefined && uses + refused === 0);
  for (const { capability } of unused)
    findings.warned("capabilities.used", "no use of it with sample events", { subject: capability });
  if (unused.length === 0 && requestsOf(manifest).length > 0) findings.passed("capabilities.used");
  const refused = all.filter((each) => each.refused > 0);
  for (const { capability, asked, refusedCalls } of refused)
    findings.failed(
      "capabilities.asked",
      `${refusedCalls.join(", ")}: ${asked === undefined ? "its manifest does not ask for that" : "beyond what it asks for, or what anybody may"}`,
      { subject: capability },
    );
  if (refused.length === 0) findings.passed("capabilities.asked");
}

// --- internal ---

const REFUSALS: ReadonlySet<string> = new Set(["capability.denied", "capability.out_of_scope"]);
const CALLS_SHOWN = 5;

function callTexts(uses: CheckedDoor["uses"]): readonly string[] {
  const texts = uses.map(({ method, target }) => (target === null ? method : `${method} ${target}`));
  return [...new Set(texts)].slice(0, CALLS_SHOWN);
}
