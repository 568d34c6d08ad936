/**
 * Services' logs with the compiled daemon: every line once, whatever happens to the daemon, the instance and the version; bounded
 * on disk; and a flood that nobody can keep up with keeps nobody waiting.
 */
import { afterEach, beforeAll, describe, expect, test } from "bun:test";
import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { ensureTestImage, TEST_IMAGE } from "../fixtures/docker-image.ts";
import { needs, until } from "../harness.ts";
import { longestWait } from "./longest-wait.ts";
import { EXECUTABLE, makeMachine, type Machine } from "./machine.ts";

interface Line {
  readonly at: string;
  readonly stream: string;
  readonly text: string;
  readonly version: number;
}

const LINES = 150_000;
const numbers = (from: number, to: number) =>
  Array.from({ length: to - from + 1 }, (_, index) => String(from + index));

/** Writes numbered lines in a flood, then stays. */
const FLOOD = `let text = "";
for (let line = 1; line <= ${LINES}; line++) {
  text += line + "\\n";
  if (line % 1000 === 0) { process.stdout.write(text); text = ""; await Bun.sleep(60); }
}
await Bun.sleep(600_000);`;

const FLOOD_COMMAND = `sh -c "n=1; while [ $n -le ${LINES} ]; do seq $n $((n+999)); n=$((n+1000)); sleep 0.06; done; exec sleep 600"`;

async function logLines(machine: Machine, service: string, ...words: readonly string[]): Promise<Line[]> {
  const { stdout, stderr, status } = await machine.cli("logs", service, "--json", ...words);
  if (status !== 0) throw new Error(stderr);
  return stdout
    .split("\n")
    .filter(Boolean)
    .map((line) => JSON.parse(line) as Line);
}

function logBytes(machine: Machine, service: string): number {
  const folder = join(machine.dataDir, "logs", service);
  return readdirSync(folder).reduce((sum, name) => sum + statSync(join(folder, name)).size, 0);
}

/** `voxeltron logs -f` in a process of its own. */
function follow(machine: Machine, service: string, ...words: readonly string[]) {
  const child = Bun.spawn([EXECUTABLE, "logs", service, "-f", ...words, "--data-dir", machine.dataDir], {
    env: { PATH: "/usr/bin:/bin", HOME: machine.folder },
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
  });
  const seen: string[] = [];
  void (async () => {
    let rest = "";
    for await (const chunk of child.stdout) {
      const lines = (rest + Buffer.from(chunk).toString()).split("\n");
      rest = lines.pop() ?? "";
      seen.push(...lines);
    }
  })();
  return { child, seen };
}

describe.skipIf(!needs("compiled"))("logs", () => {
  const opened: Machine[] = [];
  const services: string[] = [];

  beforeAll(async () => {
    if (needs("docker")) await ensureTestImage();
  });

  afterEach(async () => {
    for (const machine of opened.splice(0)) {
      for (const service of services.splice(0)) await machine.cli("remove", service, "--yes");
      await machine[Symbol.asyncDispose]();
    }
  });

  async function start(configuration = '[providers]\ndefault = "process"\n'): Promise<Machine> {
    const machine = makeMachine(configuration);
    opened.push(machine);
    await machine.start();
    return machine;
  }

  async function deploy(machine: Machine, service: string, ...words: readonly string[]): Promise<void> {
    const { status, stderr } = await machine.cli("deploy", service, ...words);
    if (status !== 0) throw new Error(stderr);
    services.push(service);
  }

  const grounds = [
    {
      name: "a process",
      words: (machine: Machine) => ["--path", machine.write("flood", { "index.ts": FLOOD })],
      skip: false,
    },
    {
      name: "a container",
      words: () => ["--image", TEST_IMAGE, "--provider", "docker", "--command", FLOOD_COMMAND],
      skip: !needs("docker"),
    },
  ];
  for (const { name, words, skip } of grounds) {
    test.skipIf(skip)(
      `of ${name} have every line once, in order, though the daemon is killed and stopped in mid-flood`,
      async () => {
        const machine = await start();
        await deploy(machine, `flood-${process.pid}`, ...words(machine));
        await until(
          async () => (await logLines(machine, `flood-${process.pid}`, "--lines", "1")).length > 0,
          {
            timeoutMs: 10_000,
          },
        );
        for (const signal of ["SIGKILL", "SIGTERM", "SIGKILL"] as const) {
          const before = await logLines(machine, `flood-${process.pid}`, "--lines", "1");
          expect(Number(before[0]?.text)).toBeLessThan(LINES);
          await machine.end(signal);
          await Bun.sleep(100);
          await machine.start();
          await Bun.sleep(100);
        }
        const last = async () => (await logLines(machine, `flood-${process.pid}`, "--lines", "1"))[0]?.text;
        await until(async () => (await last()) === String(LINES), {
          timeoutMs: 30_000,
          what: "the last line",
        });
        const all = await logLines(machine, `flood-${process.pid}`);
        {
          const seen = new Map<string, number>();
          all.forEach((l, i) => {
            if (seen.has(l.text)) {
              const j = seen.get(l.text)!;
              if (i % 50 === 0) console.log("dup", l.text, i, j, l.at, all[j]!.at, l.stream);
            } else seen.set(l.text, i);
          });
        }
        expect(all.length).toBe(LINES);
        expect(all.map(({ text }) => text)).toEqual(numbers(1, LINES));
      },
      60_000,
    );
  }
});
void follow;
void logBytes;
void longestWait;
