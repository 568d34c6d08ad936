/**
 * Reads a `.dockerignore` as Docker does: the last rule that fits a path, or a folder above it, decides. The folder is a stranger's, and
 * the daemon matches every path of it against every rule, so a rule costs at most its length times the path's, whatever stands in it: no
 * regular expressions, which a few stars keep busy for hours. Pure. Called by build-context.ts.
 */
import { posix } from "node:path";
import { fail } from "../../../base/errors.ts";
import { LIMITS } from "../../../base/limits.ts";

/** `path` is relative to the folder, with `/`. */
export type IsIgnored = (path: string) => boolean;

/** Throws `deploy.build_failed` with the line. */
export function readIgnoreRules(text: string, file: string): IsIgnored {
  const lines = text.replace(/^\uFEFF/, "").split(/\r?\n/);
  if (lines.length > LIMITS.ignoreRules)
    throw fail("deploy.build_failed", `${file} has more than ${LIMITS.ignoreRules} lines`);
  const rules = lines.flatMap((line, index) => readRule(line, `${file}, line ${index + 1}`));
  const stars = rules
    .flatMap(({ steps }) => steps)
    .filter(({ kind }) => kind === "many" || kind === "folders");
  if (stars.length > LIMITS.ignoreStars)
    throw fail("deploy.build_failed", `${file} has more than ${LIMITS.ignoreStars} stars`);
  return (path) => {
    const characters = [...path];
    return rules.findLast(({ steps }) => fits(steps, characters))?.leavesOut ?? false;
  };
}

// --- internal ---

interface Rule {
  readonly steps: readonly Step[];
  readonly leavesOut: boolean;
}

/** `one`: a character. `many`: any number of them. `folders`: what ends with a slash. `maybe`: the step behind it, or the one after that. */
type Step =
  | { readonly kind: "one" | "many"; readonly takes: (character: string) => boolean }
  | { readonly kind: "folders" }
  | { readonly kind: "maybe" };

function readRule(line: string, where: string): Rule[] {
  const rule = line.trim();
  if (line.startsWith("#") || rule === "") return [];
  const leavesOut = !rule.startsWith("!");
  const written = (leavesOut ? rule : rule.slice(1)).trim();
  if (written === "") return [];
  const pattern = posix.normalize(written).replace(/^\/(?=.)|(?<=.)\/$/g, "");
  const steps = readPattern([...pattern]);
  if (steps === undefined)
    throw fail("deploy.build_failed", `${where}: what it begins with [ or a backslash has no end`);
  return [{ steps, leavesOut }];
}

/** Undefined where it ends in the middle of something. */
function readPattern(pattern: readonly string[]): Step[] | undefined {
  const steps: Step[] = [];
  for (let at = 0; at < pattern.length; at++) {
    const character = pattern[at] ?? "";
    if (character === "*" && pattern[at + 1] === "*") {
      at += pattern[at + 2] === "/" ? 2 : 1;
      if (at + 1 >= pattern.length) steps.push({ kind: "many", takes: () => true });
      else steps.push({ kind: "maybe" }, { kind: "folders" });
    } else if (character === "*") steps.push({ kind: "many", takes: isNoSlash });
    else if (character === "?") steps.push({ kind: "one", takes: isNoSlash });
    else if (character === "[") {
      const found = readClass(pattern, at + 1);
      if (found === undefined) return undefined;
      steps.push({ kind: "one", takes: found.takes });
      at = found.end;
    } else {
      if (character === "\\") at++;
      const wanted = pattern[at];
      if (wanted === undefined) return undefined;
      steps.push({ kind: "one", takes: (found) => found === wanted });
    }
  }
  return steps;
}

/** `[a-z]`, `[^a-z]`: `end` is where its bracket closes. */
function readClass(
  pattern: readonly string[],
  start: number,
): { readonly takes: (character: string) => boolean; readonly end: number } | undefined {
  const isNegated = pattern[start] === "^";
  const ranges: (readonly [string, string])[] = [];
  let at = start + (isNegated ? 1 : 0);
  const next = (): string | undefined => {
    if (pattern[at] === "\\") at++;
    return pattern[at++];
  };
  while (pattern[at] !== "]" || ranges.length === 0) {
    const low = next();
    if (low === undefined) return undefined;
    const isRange = pattern[at] === "-" && pattern[at + 1] !== "]";
    if (isRange) at++;
    const high = isRange ? next() : low;
    if (high === undefined) return undefined;
    ranges.push([low, high]);
  }
  const takes = (found: string): boolean =>
    ranges.some(([low, high]) => low <= found && found <= high) !== isNegated;
  return { takes, end: at };
}

function isNoSlash(character: string): boolean {
  return character !== "/";
}

/** The path, or a folder above it. All places in the rule that may be reached are followed at once. */
function fits(steps: readonly Step[], path: readonly string[]): boolean {
  let places = new Set<number>();
  reach(steps, 0, places);
  for (const character of path) {
    if (character === "/" && places.has(steps.length)) return true;
    const next = new Set<number>();
    for (const place of places) {
      const step = steps[place];
      if (step === undefined || step.kind === "maybe") continue;
      if (step.kind === "folders") {
        next.add(place);
        if (character === "/") reach(steps, place + 1, next);
      } else if (step.takes(character)) reach(steps, step.kind === "one" ? place + 1 : place, next);
    }
    if (next.size === 0) return false;
    places = next;
  }
  return places.has(steps.length);
}

/** With all places that follow without a character. */
function reach(steps: readonly Step[], place: number, places: Set<number>): void {
  const waiting = [place];
  for (let at = waiting.pop(); at !== undefined; at = waiting.pop()) {
    if (places.has(at)) continue;
    places.add(at);
    const kind = steps[at]?.kind;
    if (kind === "many" || kind === "maybe") waiting.push(at + 1);
    if (kind === "maybe") waiting.push(at + 2);
  }
}
