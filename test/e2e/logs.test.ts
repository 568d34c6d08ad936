/**
 * Services' logs with the compiled daemon: every line once, whatever happens to the daemon, the instance and the version; bounded
 * on disk; and a flood that nobody can keep up with keeps nobody waiting.
 */
import { afterEach, beforeAll, describe, expect, test } from "bun:test";
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { ensureTestImage, TEST_IMAGE } from "../fixtures/docker-image.ts";
import { needs, until } from "../harness.ts";
import { makeClient, type Client } from "../../src/api/client.ts";
import { ANSWER_MS, ATTEMPTS } from "./longest-wait.ts";
import { EXECUTABLE, makeMachine, type Machine } from "./machine.ts";

interface Line {
  readonly at: string;
  readonly stream: string;
  readonly text: string;
  readonly version: number;
}

/** Enough for a container's log to change its file once, and not so much that the engine throws lines away. */
const LINES = 250_000;
const numbers = (from: number, to: number) =>
  Array.from({ length: to - from + 1 }, (_, index) => String(from + index));

/** Writes numbered lines in a flood, then stays. */
const FLOOD = `let text = "";
for (let line = 1; line <= ${LINES}; line++) {
  text += line + "\\n";
  if (line % 2000 === 0) { process.stdout.write(text); text = ""; await Bun.sleep(60); }
}
await Bun.sleep(600_000);`;

const FLOOD_COMMAND = `sh -c "n=1; while [ $n -le ${LINES} ]; do seq $n $((n+1999)); n=$((n+2000)); sleep 0.06; done; exec sleep 600"`;

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
  return readdirSync(folder).reduce(
    (sum, name) => sum + (statSync(join(folder, name), { throwIfNoEntry: false })?.size ?? 0),
    0,
  );
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
          timeoutMs: 90_000,
          what: "the last line",
        });
        const all = await logLines(machine, `flood-${process.pid}`);
        expect(all.length).toBe(LINES);
        expect(all.map(({ text }) => text)).toEqual(numbers(1, LINES));
      },
      150_000,
    );
  }

  test("go over to the next version, and over restarts, stop and start, while somebody follows", async () => {
    const machine = await start();
    const app = (version: number, life: string) =>
      machine.write(`app-${version}`, {
        "index.ts": `console.log("version ${version} begins"); process.on("SIGTERM", () => { console.log("version ${version} ends"); process.exit(0); }); ${life}`,
      });
    await deploy(machine, "web", "--path", app(1, "setInterval(() => {}, 1000);"));
    const { child, seen } = follow(machine, "web");
    await until(() => seen.includes("version 1 begins"));
    expect((await machine.cli("stop", "web")).status).toBe(0);
    expect((await machine.cli("start", "web")).status).toBe(0);
    await until(() => seen.filter((line) => line === "version 1 begins").length === 2);
    await deploy(
      machine,
      "web",
      "--path",
      app(2, "setTimeout(() => process.exit(1), 4000);"),
      "--restart",
      "always",
    );
    await until(() => seen.filter((line) => line === "version 2 begins").length === 2, { timeoutMs: 10_000 });
    expect(seen).toEqual([
      "version 1 begins",
      "version 1 ends",
      "version 1 begins",
      "version 2 begins",
      "version 1 ends",
      "version 2 begins",
    ]);
    const versions = (await logLines(machine, "web", "--search", "begins")).map(({ version }) => version);
    expect(versions).toEqual([1, 1, 2, 2]);
    expect((await machine.cli("remove", "web", "--yes")).status).toBe(0);
    expect(await child.exited).toBe(0);
    expect(existsSync(join(machine.dataDir, "logs", "web"))).toBe(false);
  }, 60_000);

  test("are found by time, level and text, and refuse what is no time", async () => {
    const machine = await start();
    const said = `console.log('{"level":"warn","msg":"slow"}'); console.log("GET /login"); console.error("boom"); await Bun.sleep(600_000);`;
    await deploy(machine, "web", "--path", machine.write("app", { "index.ts": said }));
    const texts = async (...words: string[]) =>
      (await logLines(machine, "web", ...words)).map(({ text }) => text);
    expect(await texts("--level", "warn")).toEqual(['{"level":"warn","msg":"slow"}', "boom"]);
    expect(await texts("--search", "get /LOGIN", "-i")).toEqual(["GET /login"]);
    expect(await texts("--search", "get /LOGIN")).toEqual([]);
    expect(await texts("--since", "1h", "--lines", "1")).toEqual(["boom"]);
    expect(await texts("--until", "1h")).toEqual([]);
    const plain = await machine.cli("logs", "web", "--tail", "2");
    expect([plain.stdout, plain.stderr]).toEqual(["GET /login\n", "boom\n"]);
    for (const wrong of [
      ["--since", "soon"],
      ["--level", "loud"],
      ["-f", "--until", "1m"],
    ])
      expect((await machine.cli("logs", "web", ...wrong)).status).toBe(2);
    expect((await machine.cli("logs", "none")).status).toBe(4);
  }, 60_000);

  const floods = [
    {
      name: "a process",
      words: (machine: Machine) => [
        "--path",
        machine.write("flood", { "run.sh": "" }),
        "--command",
        `sh -c "yes ${"x".repeat(100)}"`,
      ],
      skip: false,
    },
    {
      name: "a container",
      words: () => ["--image", TEST_IMAGE, "--provider", "docker", "--command", `yes ${"x".repeat(100)}`],
      skip: !needs("docker"),
    },
  ];
  for (const { name, words, skip } of floods) {
    test.skipIf(skip)(
      `of ${name} that floods them are bounded, keep nobody waiting and cost no memory`,
      async () => {
        const service = `yes-${process.pid}`;
        const machine = await start('[providers]\ndefault = "process"\n[logs]\nmax_bytes = 8388608\n');
        await deploy(machine, service, ...words(machine));
        const client = makeClient(machine.socket);
        let most = 0;
        let longest = Number.POSITIVE_INFINITY;
        const memory = residentBytes(machine.pid());
        for (let attempt = 0; attempt < ATTEMPTS && longest >= ANSWER_MS; attempt++) {
          longest = await longestOwnWait(client, machine.pid(), 3000, () => {
            most = Math.max(most, logBytes(machine, service));
          });
        }
        console.log(
          `${name}: the longest wait was ${longest.toFixed(1)} ms, ${most} bytes at most, memory ${memory} → ${residentBytes(machine.pid())}`,
        );
        expect(longest).toBeLessThan(ANSWER_MS);
        expect(most).toBeLessThanOrEqual(8_388_608);
        expect(residentBytes(machine.pid()) - memory).toBeLessThan(100_000_000);
        const [last] = await logLines(machine, service, "--lines", "1");
        expect(last?.text).toBe("x".repeat(100));
        // What is on its way to the log is brought back to its bound again and again, however fast more comes between two looks.
        await until(() => spoolBytes(machine) < 64 * 1024 * 1024, { what: "a spool within its bound" });
        expect((await machine.cli("remove", service, "--yes")).status).toBe(0);
        services.pop();
      },
      60_000,
    );
  }
});

/** On the disk, for all that runs. */
function spoolBytes(machine: Machine): number {
  const files = new Bun.Glob("instances/*/logs/*").scanSync({ cwd: machine.dataDir, absolute: true });
  return [...files].reduce(
    (sum, path) => sum + 512 * (statSync(path, { throwIfNoEntry: false })?.blocks ?? 0),
    0,
  );
}

/** The longest wait for an answer, without the time in which the kernel gave both of us no processor: the flood wants all of them. */
async function longestOwnWait(client: Client, pid: number, ms: number, look: () => void): Promise<number> {
  let longest = 0;
  for (const end = performance.now() + ms; performance.now() < end;) {
    const [asked, before] = [performance.now(), queuedMs(pid) + queuedMs(process.pid)];
    await client.call("daemon.info", {});
    const queued = queuedMs(pid) + queuedMs(process.pid) - before;
    longest = Math.max(longest, performance.now() - asked - queued);
    look();
    await Bun.sleep(2);
  }
  return longest;
}

/** How long the daemon's first thread has waited for a processor; of this process any thread may be the one that it waits for. */
function queuedMs(pid: number): number {
  const threads = pid === process.pid ? readdirSync(`/proc/${pid}/task`) : [`${pid}`];
  return threads.reduce((sum, thread) => sum + queuedOf(`/proc/${pid}/task/${thread}/schedstat`), 0);
}

function queuedOf(path: string): number {
  try {
    return Number(readFileSync(path, "utf8").split(" ")[1]) / 1e6;
  } catch {
    return 0;
  }
}

function residentBytes(pid: number): number {
  const status = readFileSync(`/proc/${pid}/status`, "utf8");
  return Number(/^VmRSS:\s+(\d+)/m.exec(status)?.[1]) * 1024;
}
