/** How long the command line takes to start and to ask the daemon, beside Docker's. */
import { EXECUTABLE, makeMachine } from "../e2e/machine.ts";
import { needs } from "../harness.ts";
import { interleaved, median, timed, type Row } from "./measure.ts";

const ROUNDS = 40;

export async function benchCommandLine(): Promise<Row[]> {
  await using machine = makeMachine();
  await machine.start();
  const flags = ["--data-dir", machine.dataDir];
  const run =
    (...command: string[]) =>
    () =>
      timed(
        () =>
          Bun.spawn(command, { env: { HOME: machine.folder }, stdout: "ignore", stderr: "ignore" }).exited,
      );
  const hasDocker = needs("docker");
  const times = await interleaved(ROUNDS, {
    version: run(EXECUTABLE, "--version"),
    list: run(EXECUTABLE, "plugin", "list", ...flags),
    ...(hasDocker ? { docker: run("docker", "version", "--format", "x") } : {}),
  } as Record<"version" | "list" | "docker", () => Promise<number>>);
  const rows: Row[] = [
    { what: "voxeltron --version", value: median(times.version), unit: "ms", runs: ROUNDS, aim: "≤ 15 ms" },
    { what: "voxeltron plugin list", value: median(times.list), unit: "ms", runs: ROUNDS, aim: "≤ 40 ms" },
  ];
  if (hasDocker) {
    rows.push({ what: "docker version --format x", value: median(times.docker), unit: "ms", runs: ROUNDS });
    rows.push({
      what: "plugin list / docker version",
      value: median(times.list) / median(times.docker),
      unit: "×",
      runs: ROUNDS,
    });
  }
  return rows;
}
