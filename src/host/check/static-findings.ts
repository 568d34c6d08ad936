/** What an install would say of a plugin's files, as results of a check. Called by check-plugin.ts. */
import type { Checked, Problem } from "../install/check-files.ts";
import type { CheckId } from "./checks.ts";
import type { Findings, More } from "./findings.ts";

/** `runs`: its code will be loaded, and that is told of then. */
export function tellProblems(findings: Findings, { problems, manifest, code }: Checked, runs: boolean): void {
  const told = new Set<CheckId>();
  for (const problem of problems) {
    const check = checkOf(problem);
    told.add(check);
    if (problem.code.startsWith("confinement.")) findings.skipped(check, problem.message);
    else if (problem.level === "warning") findings.warned(check, problem.message, placed(problem));
    else findings.failed(check, problem.message, placed(problem));
  }
  if (manifest === undefined) return;
  const hooks = manifest.provider === undefined ? (["manifest.hooks"] as const) : [];
  for (const check of ["manifest.valid", "manifest.files", ...hooks] as const)
    if (!told.has(check)) findings.passed(check);
  if (!runs && code !== undefined && code.code.kind !== "exec" && !told.has("code.loads"))
    findings.passed("code.loads", code.code.kind === "js" ? { note: "it was bundled, and not run" } : {});
}

// --- internal ---

const CHECKS_OF_CODES: Readonly<Record<string, CheckId>> = {
  "manifest.invalid": "manifest.valid",
  "manifest.missing": "manifest.valid",
  "plugin.invalid": "manifest.files",
  "plugin.too_large": "manifest.files",
  "plugin.no_hook": "code.handlers",
};

function checkOf({ level, code }: Problem): CheckId {
  const isOfHooks = level === "warning" && (code === "manifest.invalid" || code === "plugin.no_hook");
  return isOfHooks ? "manifest.hooks" : (CHECKS_OF_CODES[code] ?? "code.loads");
}

function placed({ hint, code, file, line, column }: Problem): More {
  return {
    ...(hint === undefined ? {} : { advice: hint }),
    code,
    ...(file === undefined ? {} : { file }),
    ...(line === undefined ? {} : { line }),
    ...(column === undefined ? {} : { column }),
  };
}
