/** What the end-to-end tests of workspaces type, and what they read of the answers. */
import { expect } from "bun:test";
import type { Machine } from "./machine.ts";

export interface View {
  readonly name: string;
  readonly state: string;
  readonly drift: string | null;
  readonly desired: string;
  readonly instance: string;
}

export interface EventLine {
  readonly hook: string;
  readonly data: Readonly<Record<string, unknown>>;
  readonly deliveries: readonly {
    readonly plugin: string;
    readonly state: string;
    readonly attempts: number;
    readonly error: string | null;
  }[];
}

/** What happened to this workspace; without a name: to all. */
export async function eventsOf(machine: Machine, workspace?: string): Promise<EventLine[]> {
  const { stdout } = await machine.cli("events", "--json", "--limit", "1000");
  return stdout
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as EventLine)
    .filter(({ data }) =>
      workspace === undefined ? data["workspace"] !== undefined : data["workspace"] === workspace,
    );
}

export async function hooksOf(machine: Machine, workspace?: string): Promise<string[]> {
  return (await eventsOf(machine, workspace)).map(({ hook }) => hook);
}

/** Its standard output; the command must succeed. */
export async function ok(machine: Machine, ...words: string[]): Promise<string> {
  const answer = await machine.cli(...words);
  expect([words, answer.status, answer.stderr]).toEqual([words, 0, expect.any(String)]);
  return answer.stdout;
}

export async function errorOf(
  machine: Machine,
  ...words: string[]
): Promise<{ readonly code: string; readonly message: string }> {
  const { stderr, status } = await machine.cli(...words, "--json");
  if (status === 0) return { code: "ok", message: "" };
  return (JSON.parse(stderr) as { error: { code: string; message: string } }).error;
}

/** The machine's own flags come last, where they are a part of the command that runs inside. */
export async function inside(machine: Machine, name: string, ...command: string[]) {
  return machine.cli("workspace", "exec", "--data-dir", machine.dataDir, name, "--", ...command);
}

/** As the list has it; `gone` where it is not there. */
export async function stateOf(machine: Machine, name: string): Promise<string> {
  const found = (await machine.json<View[]>("workspace", "list")).find((each) => each.name === name);
  return found?.state ?? "gone";
}
