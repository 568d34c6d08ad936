/**
 * What of a package an import means: `exports` with subpaths, patterns and the conditions of a browser bundle, else `module`,
 * `browser` and `main`. Reads a parsed package.json, which may say anything. Called by resolve-import.ts.
 */

/** Candidates inside the package, in order; `subpath` is "." or "./x". Undefined where the package does not export it. */
export function packageTargets(packageJson: unknown, subpath: string): readonly string[] | undefined {
  const manifest = asRecord(packageJson) ?? {};
  if (manifest["exports"] !== undefined && manifest["exports"] !== null) {
    const target = exported(manifest["exports"], subpath);
    return target === undefined ? undefined : [target];
  }
  if (subpath !== ".") return [subpath];
  return [manifest["module"], manifest["browser"], manifest["main"], "./index.js"].filter(isText);
}

// --- internal ---

const CONDITIONS: ReadonlySet<string> = new Set(["import", "module", "browser", "worker", "default"]);

function exported(exports: unknown, subpath: string): string | undefined {
  const record = asRecord(exports);
  const hasSubpaths = record !== undefined && Object.keys(record).some((key) => key.startsWith("."));
  if (!hasSubpaths) return subpath === "." ? choose(exports, "") : undefined;
  if (Object.hasOwn(record, subpath)) return choose(record[subpath], "");
  for (const key of Object.keys(record).toSorted((a, b) => b.length - a.length)) {
    const star = key.indexOf("*");
    if (star === -1) continue;
    const [head, tail] = [key.slice(0, star), key.slice(star + 1)];
    if (subpath.length > key.length - 1 && subpath.startsWith(head) && subpath.endsWith(tail)) {
      return choose(record[key], subpath.slice(head.length, subpath.length - tail.length));
    }
  }
  return undefined;
}

/** The first branch whose conditions hold. `match` stands for the star of a pattern. */
function choose(target: unknown, match: string, depth = 0): string | undefined {
  if (depth > DEPTH_MAX) return undefined;
  if (typeof target === "string") return target.startsWith("./") ? target.replaceAll("*", match) : undefined;
  const branches = Array.isArray(target)
    ? (target as unknown[])
    : Object.entries(asRecord(target) ?? {})
        .filter(([condition]) => CONDITIONS.has(condition))
        .map(([, branch]) => branch);
  for (const branch of branches) {
    const found = choose(branch, match, depth + 1);
    if (found !== undefined) return found;
  }
  return undefined;
}

const DEPTH_MAX = 10;

function asRecord(value: unknown): Readonly<Record<string, unknown>> | undefined {
  return typeof value === "object" && value !== null && !Array.isArray(value)
    ? (value as Readonly<Record<string, unknown>>)
    : undefined;
}

function isText(value: unknown): value is string {
  return typeof value === "string";
}
