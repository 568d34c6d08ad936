/** `voxeltron logs -f` beside `docker logs -f`: the same lines of the same kind of container, until each follower has the last one. */
import { ensureTestImage, TEST_IMAGE } from "../fixtures/docker-image.ts";
import { EXECUTABLE, makeMachine } from "../e2e/machine.ts";
import { until } from "../harness.ts";
import { interleaved, median, timed, type Row } from "./measure.ts";

const ROUNDS = 5;
const LINES = 100_000;
const WIDTH = 100;
const COMMAND = `while [ ! -e /tmp/go ]; do sleep 0.1; done; yes ${"x".repeat(WIDTH - 1)} | head -n ${LINES}; echo last; exec sleep 600`;

export async function benchLogs(): Promise<Row[]> {
  await ensureTestImage();
  await using machine = makeMachine('[providers]\ndefault = "docker"\n');
  await machine.start();
  let round = 0;
  let search = 0;
  const times = await interleaved(ROUNDS, {
    async voxeltron() {
      const service = `bench-${process.pid}-${round}`;
      await machine.json("deploy", service, "--image", TEST_IMAGE, "--command", `sh -c "${COMMAND}"`);
      const { instance } = await machine.json<{ instance: string }>("status", service);
      const time = await follow(instance, [EXECUTABLE, "logs", service, "-f", "--data-dir", machine.dataDir]);
      search = await timed(() => machine.cli("logs", service, "--search", "no such text"));
      await machine.cli("remove", service, "--yes");
      return time;
    },
    async docker() {
      const name = `voxeltron-bench-${process.pid}-${round++}`;
      const log = ["--log-opt", "max-size=16m", "--log-opt", "max-file=2"];
      Bun.spawnSync([
        "docker",
        "run",
        "-d",
        "--init",
        "--name",
        name,
        ...log,
        TEST_IMAGE,
        "sh",
        "-c",
        COMMAND,
      ]);
      const time = await follow(name, ["docker", "logs", "-f", name]);
      Bun.spawnSync(["docker", "rm", "-f", name]);
      return time;
    },
  });
  const rate = (all: readonly number[]) => (LINES / median(all)) * 1000;
  return [
    {
      what: "logs -f of a container, lines of 100 bytes",
      value: rate(times.voxeltron),
      unit: "/s",
      runs: ROUNDS,
    },
    { what: "docker logs -f, the same", value: rate(times.docker), unit: "/s", runs: ROUNDS },
    {
      what: "logs -f / docker logs -f, time",
      value: median(times.voxeltron) / median(times.docker),
      unit: "×",
      runs: ROUNDS,
    },
    {
      what: `logs --search in ${(LINES * 130) / 1e6} MB, all of it looked through`,
      value: search,
      unit: "ms",
      runs: 1,
    },
  ];
}

// --- internal ---

/** From the moment the container may write until the follower has printed its last line. */
async function follow(container: string, command: readonly string[]): Promise<number> {
  const child = Bun.spawn([...command], { stdin: "ignore", stdout: "pipe", stderr: "ignore" });
  let tail = "";
  void (async () => {
    for await (const chunk of child.stdout) tail = (tail + Buffer.from(chunk).toString()).slice(-10);
  })();
  await Bun.sleep(500);
  const time = await timed(async () => {
    Bun.spawnSync(["docker", "exec", container, "touch", "/tmp/go"]);
    await until(() => tail.endsWith("last\n"), { timeoutMs: 120_000, what: "the last line" });
  });
  child.kill();
  await child.exited;
  return time;
}
