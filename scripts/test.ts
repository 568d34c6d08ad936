/**
 * `bun run test`: builds the executable and the test plugins, and runs the whole suite with what this machine has. Installs
 * nothing but the locked dependencies. Ends with what was skipped and how to get it, and the line `N passed, N failed`.
 */
import "./ensure-install.ts";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { BUN, ROOT, runSteps } from "./run.ts";

const scratch = mkdtempSync(join(tmpdir(), "voxeltron-suite-"));
try {
  const built = await runSteps([
    { name: "build", command: [BUN, "run", "build.ts"] },
    { name: "test plugins", command: [BUN, "run", "test/wasm/build.ts"] },
  ]);
  if (built) await runSuite();
} finally {
  rmSync(scratch, { recursive: true, force: true });
}

async function runSuite(): Promise<void> {
  const missing = join(scratch, "missing");
  const report = join(scratch, "report.xml");
  const suite = Bun.spawn(
    [
      BUN,
      "test",
      "--only-failures",
      "--timeout",
      "60000",
      "--reporter=junit",
      `--reporter-outfile=${report}`,
      ...process.argv.slice(2),
    ],
    {
      cwd: ROOT,
      env: { ...process.env, VOXELTRON_TEST_MISSING: missing },
      stdin: "ignore",
      stdout: "inherit",
      stderr: "inherit",
    },
  );
  const status = await suite.exited;
  const counts = readCounts(report);
  for (const part of readLines(missing)) process.stdout.write(`skipped what needs ${part}\n`);
  if (existsSync(missing)) process.stdout.write("bring it with (Debian, as root): bun run test:setup\n");
  if (status !== 0) process.exitCode = 1;
  // A suite that died before it could count has failed, whatever the report says.
  const failed = status !== 0 && counts.failed === 0 ? 1 : counts.failed;
  process.stdout.write(
    `${counts.passed} passed, ${failed} failed${counts.skipped === 0 ? "" : `, ${counts.skipped} skipped`}\n`,
  );
}

function readCounts(report: string): { passed: number; failed: number; skipped: number } {
  const head = existsSync(report) ? /<testsuites[^>]*>/.exec(readFileSync(report, "utf8"))?.[0] : undefined;
  const count = (name: string) => Number(new RegExp(`\\b${name}="(\\d+)"`).exec(head ?? "")?.[1] ?? 0);
  const [failed, skipped] = [count("failures"), count("skipped")];
  return { passed: count("tests") - failed - skipped, failed, skipped };
}

function readLines(file: string): string[] {
  return existsSync(file) ? [...new Set(readFileSync(file, "utf8").split("\n").filter(Boolean))] : [];
}
