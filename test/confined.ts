/**
 * Confined processes for tests: the fixture's program, compiled or from source, and a line to the code that runs inside it. The
 * control of an attack is the same program with `confined: false`.
 */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { systemClock, type Clock } from "../src/base/clock.ts";
import {
  makeStartConfined,
  type ConfinedProcess,
  type ConfinedSpec,
} from "../src/platform/confine/confined-process.ts";

export type InsideSpec = Omit<ConfinedSpec, "role">;

/** What the fixture's role `daemon` is told. `stay`: it does not kill its child, and so waits for it. `wait`: it begins when stdin ends. */
export interface DaemonOrder {
  readonly spec: InsideSpec;
  readonly codes: readonly string[];
  readonly stay?: boolean;
  readonly wait?: boolean;
}

export interface Inside {
  /** The value of an expression in the confined process, or how it failed. `ffi`, `fs`, `net`, `kernel` … are there as globals. */
  ask(code: string): Promise<InsideAnswer>;
}

export interface InsideAnswer {
  readonly value?: unknown;
  readonly error?: string;
  readonly code?: string;
  /** The process ended instead. */
  readonly lost?: true;
}

export const GUEST: InsideSpec = {
  profile: "guest",
  uid: undefined,
  memoryBytes: 256 * 1024 * 1024,
  confined: true,
};

/** Compiles the fixture as build.ts compiles the program; gives its path. */
export async function buildConfinedEntry(folder: string): Promise<string> {
  mkdirSync(folder, { recursive: true });
  const outfile = join(folder, "confined-entry");
  const result = await Bun.build({
    entrypoints: [ENTRY],
    target: "bun",
    format: "esm",
    minify: true,
    compile: { outfile, autoloadDotenv: false, autoloadBunfig: false },
  });
  if (!result.success) throw new Error(result.logs.map((log) => log.message).join("\n"));
  return outfile;
}

/** argv of the fixture from source. */
export const FROM_SOURCE: readonly string[] = [
  process.execPath,
  join(import.meta.dir, "fixtures/confined-entry.ts"),
];

export interface StartedInside extends Inside, AsyncDisposable {
  readonly child: ConfinedProcess;
}

/** Starts the fixture's role `inside`, which is killed with the test. */
export async function startInside(
  entry: readonly string[],
  spec: Partial<InsideSpec> = {},
  clock: Clock = systemClock,
): Promise<StartedInside> {
  const start = makeStartConfined({ clock, command: (...words) => [...entry, ...words] });
  const child = start({ role: ["inside"], ...GUEST, ...spec });
  const inside = await openInside(child);
  return {
    child,
    ask: (code) => inside.ask(code),
    async [Symbol.asyncDispose]() {
      child.kill();
      await child.ended;
    },
  };
}

/** Takes the process's descriptor. */
export async function openInside(child: ConfinedProcess): Promise<Inside> {
  const waiting: ((answer: InsideAnswer) => void)[] = [];
  let unread = "";
  let over = false;
  const socket = await connect(child.descriptor, {
    data(bytes) {
      unread += bytes.toString();
      const lines = unread.split("\n");
      unread = lines.pop() ?? "";
      for (const line of lines) waiting.shift()?.(JSON.parse(line) as InsideAnswer);
    },
    close() {
      over = true;
      for (const answer of waiting.splice(0)) answer({ lost: true });
    },
  });
  return {
    ask(code) {
      if (over) return Promise.resolve({ lost: true });
      const { promise, resolve } = Promise.withResolvers<InsideAnswer>();
      waiting.push(resolve);
      socket.write(`${JSON.stringify({ code })}\n`);
      return promise;
    },
  };
}

// --- internal ---

const ENTRY = join(import.meta.dir, "fixtures/confined-entry.ts");

interface Ears {
  data(bytes: Buffer): void;
  close(): void;
}

/** A descriptor is not among the types of Bun.connect. */
async function connect(fd: number, ears: Ears): Promise<{ write(text: string): number }> {
  const socket = { data: (_: unknown, bytes: Buffer) => ears.data(bytes), close: () => ears.close() };
  return await Bun.connect({ fd, socket } as unknown as Parameters<typeof Bun.connect>[0]);
}
