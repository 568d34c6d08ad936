/** The test's side of a stand-in daemon: starts it as root or as an ordinary user, asks it to be attacked, and sees when that ended it. */
import { rmSync } from "node:fs";
import type { Greeting, Report, Request, StandInNeeds } from "./stand-in.ts";

export interface Stage extends AsyncDisposable {
  /** What is asked is done one after another; a stand-in that was ended is started again for the next. */
  attempt(request: Request): Promise<Report>;
  readonly secret: string;
}

export interface StagePlan {
  /** The executable that attacks itself. */
  readonly attacker: string;
  /** For rooms: the product's executable, and the hostile plugin's code in a file. */
  readonly executable: string;
  readonly plugin: string;
  /** Whom the stand-in becomes, for good; root only. */
  readonly user: number | undefined;
}

export function openStage(plan: StagePlan): Stage {
  const secret = `secret-${crypto.randomUUID()}`;
  let present: Promise<StandIn> | undefined;
  let last: Promise<unknown> = Promise.resolve();

  async function attempt(request: Request): Promise<Report> {
    const standIn = await (present ??= startStandIn(plan, secret));
    const line = await standIn.ask(JSON.stringify(request));
    const over = line === undefined;
    const report: Report = over
      ? {
          ending: { kind: "ended", how: "with the daemon" },
          changes: [`daemon: ended by ${await standIn.ended}`],
        }
      : (JSON.parse(line) as Report);
    if (over || report.changes.some((change) => LASTING.test(change))) {
      await standIn.end();
      present = undefined;
    }
    return report;
  }

  return {
    secret,
    attempt(request) {
      const report = last.then(() => attempt(request));
      last = report.catch(() => {});
      return report;
    },
    async [Symbol.asyncDispose]() {
      await last;
      await (await present)?.end();
    },
  };
}

// --- internal ---

/** What the stand-in can't undo by itself. */
const LASTING = /^(priority|policy|cores|tracer|limits|oom_score_adj|memory)/;

interface StandIn {
  /** The answer, undefined where it ended first. */
  ask(line: string): Promise<string | undefined>;
  readonly ended: Promise<string>;
  end(): Promise<void>;
}

async function startStandIn({ attacker, user, ...rooms }: StagePlan, secret: string): Promise<StandIn> {
  const role = user === undefined ? ["__stand-in"] : ["__as", String(user), "__stand-in"];
  const needs: StandInNeeds = { ...rooms, secret };
  const child = Bun.spawn([attacker, ...role], {
    env: {
      VOXELTRON_TEST_SECRET: JSON.stringify(needs),
      NPM_CONFIG_TOKEN: secret,
      PATH: "/usr/bin:/bin",
      TZ: "UTC",
    },
    stdin: "pipe",
    stdout: "pipe",
    stderr: "inherit",
    // A process group of its own: an attack may signal the whole group.
    detached: true,
  });
  const lines = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
  let received = "";

  async function nextLine(): Promise<string | undefined> {
    while (!received.includes("\n")) {
      const { value, done } = await lines.read();
      if (done) return undefined;
      received += value;
    }
    const end = received.indexOf("\n");
    const line = received.slice(0, end);
    received = received.slice(end + 1);
    return line;
  }

  const greeting = await nextLine();
  if (greeting === undefined) throw new Error("the stand-in daemon did not start");
  const { folder } = (JSON.parse(greeting) as Greeting).places;
  return {
    ended: child.exited.then((status) => String(child.signalCode ?? `status ${status}`)),
    async ask(line) {
      await child.stdin.write(`${line}\n`);
      await child.stdin.flush();
      return await nextLine();
    },
    async end() {
      child.kill("SIGKILL");
      await child.exited;
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
