/** An attacking process from the stand-in daemon's side: started confined, unconfined or without a thought, told what to try. */
import { openSync } from "node:fs";
import { systemClock } from "../../../src/base/clock.ts";
import type { ProcessEnd, StartConfined } from "../../../src/platform/confine/confined-process.ts";
import type { Places } from "./attack.ts";
import type { Order, Outcome } from "./attacker.ts";
import { linkTo } from "./link.ts";

export type Ending = Outcome | { readonly kind: "ended"; readonly how: string } | { readonly kind: "hung" };

export interface Attacker {
  readonly pid: number;
  over(): boolean;
  tell(order: Order): Promise<Ending>;
  /** Sends it something that means nothing. */
  wake(): Promise<void>;
  end(): Promise<void>;
}

/** What is started. */
export type Started = Pick<ReturnType<StartConfined>, "pid" | "descriptor" | "ended" | "kill">;

export const PATIENCE_MS = 5000;

export function tellProcess(child: Started): Attacker {
  let over = false;
  const ended = child.ended.then((end): Ending => {
    over = true;
    return { kind: "ended", how: words(end) };
  });
  const link = linkTo(child.descriptor);
  return {
    pid: child.pid,
    over: () => over,
    async tell(order) {
      const { ask } = await link;
      // What it answered before it ended counts.
      const answered = ask(JSON.stringify(order)).then((text): Ending | Promise<Ending> =>
        text === undefined ? ended : (JSON.parse(text) as Outcome),
      );
      return await orHung(answered);
    },
    wake: async () => (await link).wake(),
    async end() {
      child.kill();
      await ended;
    },
  };
}

/** With everything that is inherited where nobody thinks of it. */
export function startCarelessly({ secretFile }: Places): Started {
  const child = Bun.spawn([process.execPath, "__attack", "unsealed"], {
    stdio: ["ignore", "ignore", "ignore", "pipe", openSync(secretFile, "r")],
  });
  return {
    pid: child.pid,
    descriptor: child.stdio[3] as unknown as number,
    ended: child.exited.then((status) => ({ kind: "status", status })),
    kill: () => child.kill("SIGKILL"),
  };
}

// --- internal ---

async function orHung(answer: Promise<Ending>): Promise<Ending> {
  const late = new AbortController();
  const hung = systemClock.sleep(PATIENCE_MS, late.signal).then((): Ending => ({ kind: "hung" }));
  hung.catch(() => {});
  try {
    return await Promise.race([answer, hung]);
  } finally {
    late.abort();
  }
}

function words(end: ProcessEnd): string {
  switch (end.kind) {
    case "status":
      return `status ${end.status}`;
    case "signal":
      return end.signal;
    case "memory":
    case "threads":
      return end.kind;
    case "unconfined":
      return `unconfined: ${end.step}: ${end.reason}`;
  }
}
