/**
 * How long the list of 100 workspaces takes, each of which is asked for from its provider: running processes, and containers beside one
 * `docker inspect` of all of them; and one of them alone.
 */
import { makeClient, type Client } from "../../src/api/client.ts";
import { makeMachine } from "../e2e/machine.ts";
import { ensureTestImage, TEST_IMAGE } from "../fixtures/docker-image.ts";
import { needs } from "../harness.ts";
import { interleaved, median, timed, type Row } from "./measure.ts";

const WORKSPACES = 100;
const ROUNDS = 30;
const AT_ONCE = 10;

export async function benchWorkspaces(): Promise<Row[]> {
  const rows = await processes();
  return needs("docker") ? [...rows, ...(await containers())] : rows;
}

// --- internal ---

const nameOf = (index: number): string => `bench-${index}`;

async function processes(): Promise<Row[]> {
  await using machine = makeMachine();
  await machine.start();
  const client = makeClient(machine.socket);
  await each((index) =>
    create(client, { name: nameOf(index), provider: "process", command: "sleep infinity", start: true }),
  );
  const found = await interleaved(ROUNDS, {
    list: () => timed(() => client.call("workspace.list", {})),
    one: () => timed(() => client.call("workspace.info", { name: nameOf(50) })),
    typed: () => timed(() => machine.cli("workspace", "list")),
  });
  await endAll(client);
  return [
    row("workspace.list, 100 running processes", found.list),
    row("workspace.info, one of them", found.one),
    row("voxeltron workspace list, the whole command", found.typed),
  ];
}

async function containers(): Promise<Row[]> {
  await ensureTestImage();
  await using machine = makeMachine();
  await machine.start();
  const client = makeClient(machine.socket);
  try {
    await each((index) => create(client, { name: nameOf(index), provider: "docker", image: TEST_IMAGE }));
    const ids = await Promise.all(
      Array.from(
        { length: WORKSPACES },
        async (_, index) => (await client.call("workspace.info", { name: nameOf(index) })).instance,
      ),
    );
    const found = await interleaved(ROUNDS, {
      list: () => timed(() => client.call("workspace.list", {})),
      inspect: () => timed(() => Bun.spawn(["docker", "inspect", ...ids], { stdout: "ignore" }).exited),
    });
    return [
      row("workspace.list, 100 containers", found.list),
      row("docker inspect of the same 100, beside it", found.inspect),
    ];
  } finally {
    await endAll(client);
  }
}

function row(what: string, times: readonly number[]): Row {
  return { what, value: median(times), unit: "ms", runs: times.length };
}

async function each(work: (index: number) => Promise<unknown>): Promise<void> {
  for (let first = 0; first < WORKSPACES; first += AT_ONCE)
    await Promise.all(Array.from({ length: AT_ONCE }, (_, index) => work(first + index)));
}

async function create(client: Client, input: Parameters<typeof stream>[1]): Promise<void> {
  for await (const _ of stream(client, input));
}

const stream = (client: Client, input: Parameters<typeof client.stream<"workspace.create">>[1]) =>
  client.stream("workspace.create", input);

async function endAll(client: Client): Promise<void> {
  await each((index) => client.call("workspace.destroy", { name: nameOf(index) }).catch(() => {}));
}
