/**
 * The attacks in their order, each with its control: the same call by the same plugin, once the operator allows every address. What came
 * of it is data, for ssrf.test.ts to judge. Run by world.ts, in a network of its own.
 */
import { readFile } from "node:fs/promises";
import { isVoxError } from "../../../src/base/errors.ts";
import type { PluginDoor } from "../../../src/host/runtimes/runtime.ts";
import { makeNameResolver } from "../../../src/platform/http/name-resolver.ts";
import { until } from "../../harness.ts";
import { netBroker } from "../../net-broker.ts";
import { canary, guide, questions, type Canary } from "./network.ts";
import { CONNECTS, HOSTS, LOCATIONS, NAMES, PUBLIC, REDIRECT_STATUSES, URLS } from "./targets.ts";

export interface Outcome {
  readonly family: string;
  readonly what: string;
  readonly attack: Result;
  /** Undefined where no address would change anything. */
  readonly control?: Result;
}

export interface Result {
  /** The body that came, or the error's code. */
  readonly said: string;
  readonly message?: string;
  /** Connections that the canary has seen meanwhile. */
  readonly arrivals: number;
  /** Questions of the name server for the name, meanwhile. */
  readonly questions?: number;
}

export async function* attacks(): AsyncGenerator<Outcome> {
  const inner = await canary("inner secret");
  const web = await guide();
  const [closedDoor, openDoor] = [plugin([]), plugin(["0.0.0.0/0", "::/0"])];

  async function tried(
    family: string,
    what: string,
    act: (door: PluginDoor) => Promise<string>,
  ): Promise<Outcome> {
    const attack = await result(inner, () => act(closedDoor));
    return { family, what, attack, control: await result(inner, () => act(openDoor)) };
  }

  for (const { host } of HOSTS) {
    yield await tried("fetch", host, (door) => fetched(door, `http://${host}:${inner.port}/`));
    yield await tried("fetch as it comes", host, (door) => streamed(door, `http://${host}:${inner.port}/`));
    yield await tried("connect", host, (door) => connected(door, { host, port: inner.port }));
  }
  for (const { url } of URLS)
    yield await tried("URL", url, (door) => fetched(door, url.replaceAll("PORT", `${inner.port}`)));
  for (const params of CONNECTS)
    yield await tried("connect with", JSON.stringify(params), (door) => connected(door, params));
  for (const status of REDIRECT_STATUSES)
    for (const location of LOCATIONS) {
      const to = encodeURIComponent(location.replaceAll("PORT", `${inner.port}`));
      const url = `http://public.test:${web.port}/${status}/${to}`;
      yield await tried("redirect", `${status} ${location}`, (door) => fetched(door, url));
    }
  for (const { name } of NAMES.filter((row) => row.closed)) {
    yield await tried("name", `fetch ${name}`, (door) => fetched(door, `http://${name}:${inner.port}/`));
    yield await tried("name", `connect ${name}`, (door) => connected(door, { host: name, port: inner.port }));
  }
  yield* rebinding(closedDoor, openDoor);
  yield* mixed(closedDoor, openDoor);
  yield await unanswered(closedDoor);
}

// --- internal ---

/** One name at one port, where a public server and the canary both listen: which of them is it? */
async function* rebinding(closedDoor: PluginDoor, openDoor: PluginDoor): AsyncGenerator<Outcome> {
  const outside = await canary("public", PUBLIC);
  const inside = await canary("inner secret", "127.0.0.1", outside.port);
  const acts = {
    fetch: (door: PluginDoor, name: string) => fetched(door, `http://${name}:${outside.port}/`),
    connect: (door: PluginDoor, host: string) => connected(door, { host, port: outside.port }),
  };
  for (const [kind, act] of Object.entries(acts)) {
    const name = `rebind-${kind}.test`;
    yield {
      family: "rebinding",
      what: `${kind}, the first answer`,
      attack: await result(inside, () => act(closedDoor, name), name),
    };
    yield {
      family: "rebinding",
      what: `${kind}, the second answer`,
      attack: await result(inside, () => act(closedDoor, name), name),
      control: await result(inside, () => act(openDoor, name), name),
    };
  }
  const web = await guide();
  const name = "rebind-redirect.test";
  const url = `http://public.test:${web.port}/307/${encodeURIComponent(`http://${name}:${web.port}/307/${encodeURIComponent(`http://${name}:${outside.port}/`)}`)}`;
  yield {
    family: "rebinding",
    what: "between two hops",
    attack: await result(inside, () => fetched(closedDoor, url), name),
    control: await result(inside, () => fetched(openDoor, url), name),
  };
}

/** A name with public and inner addresses is reached by the public ones alone, even where nobody listens there. */
async function* mixed(closedDoor: PluginDoor, openDoor: PluginDoor): AsyncGenerator<Outcome> {
  for (const [name, host] of [
    ["mixed.test", "127.0.0.1"],
    ["mixed6.test", "::1"],
  ] as const) {
    const inside = await canary("inner secret", host);
    const acts = {
      fetch: (door: PluginDoor) => fetched(door, `http://${name}:${inside.port}/`),
      connect: (door: PluginDoor) => connected(door, { host: name, port: inside.port }),
    };
    for (const [kind, act] of Object.entries(acts))
      yield {
        family: "mixed answers",
        what: `${kind} ${name}`,
        attack: await result(inside, () => act(closedDoor)),
        control: await result(inside, () => act(openDoor)),
      };
  }
}

/** Names that are never answered, as many as a plugin can ask for: can the daemon still read a file, and look up another name? */
async function unanswered(door: PluginDoor): Promise<Outcome> {
  const stop = new AbortController();
  const asked = Array.from({ length: 90 }, (_, i) =>
    door.invoke("net.fetch", { url: `http://silent${i}.test/` }, stop.signal).catch(() => {}),
  );
  await until(() => questions("silent0.test") > 0);
  const before = performance.now();
  await readFile("/etc/hosts", "utf8");
  const said = await connected(plugin([]), { host: "loop.test", port: 1 }).catch(
    (error: { readonly code: string }) => error.code,
  );
  const took = performance.now() - before;
  stop.abort();
  await Promise.all(asked);
  return {
    family: "unanswered names",
    what: "hold nobody up",
    attack: { said: took < 1_000 ? said : `took ${took} ms`, arrivals: 0 },
  };
}

async function result(inner: Canary, act: () => Promise<string>, name?: string): Promise<Result> {
  await inner.arrivals();
  const before = name === undefined ? 0 : questions(name);
  const said = await act().then(
    (body) => ({ said: body }),
    (error: unknown) => ({
      said: isVoxError(error) ? error.code : "no error of ours",
      message: error instanceof Error ? error.message : "",
    }),
  );
  return {
    ...said,
    arrivals: await inner.arrivals(),
    ...(name === undefined ? {} : { questions: questions(name) - before }),
  };
}

async function fetched(door: PluginDoor, url: string): Promise<string> {
  const answer = (await door.invoke("net.fetch", { url })) as { readonly body: Wire };
  return textOf([answer.body]);
}

async function streamed(door: PluginDoor, url: string): Promise<string> {
  const answer = (await door.invoke("net.fetch", { url, stream: true })) as Opened & { readonly body?: Wire };
  return answer.body === undefined ? read(door, answer) : textOf([answer.body]);
}

/** Asks by hand, and gives what stands behind the head. */
async function connected(door: PluginDoor, params: object): Promise<string> {
  const { stream } = (await door.invoke("net.connect", params)) as Opened;
  const data = { $b64: Buffer.from("GET / HTTP/1.0\r\n\r\n").toString("base64") };
  await door.invoke("stream.write", { stream, data });
  const text = await read(door, { stream });
  return text.slice(text.indexOf("\r\n\r\n") + 4);
}

interface Wire {
  readonly $b64: string;
}

interface Opened {
  readonly stream: string;
}

/** Until something of a body is there. */
async function read(door: PluginDoor, { stream }: Opened): Promise<string> {
  let text = "";
  for (;;) {
    const batch = (await door.invoke("stream.next", { stream })) as {
      readonly items: Wire[];
      readonly done: boolean;
    };
    text += textOf(batch.items);
    if (batch.done || /\r\n\r\n./.test(text)) break;
  }
  await door.invoke("stream.close", { stream });
  return text;
}

function textOf(parts: readonly Wire[]): string {
  return Buffer.concat(parts.map(({ $b64 }) => Buffer.from($b64, "base64"))).toString();
}

/** With network_outbound, whole: only what nobody may reach is in its way. Names are looked up as in the daemon. */
function plugin(allowPrivate: readonly string[]): PluginDoor {
  return netBroker({ resolve: makeNameResolver(), allowPrivate }).door;
}
