/** `deploy`: send what is to run, show how it comes up, and take it back on Ctrl-C. */
import type { Client } from "../../api/client.ts";
import type { Input, Output } from "../../api/operations.ts";
import { formatDuration, parseDuration } from "../../base/duration.ts";
import { fail, messageOf } from "../../base/errors.ts";
import { printable, quote } from "../../base/text.ts";
import { argument, command, type Context, type OptionValues } from "../command.ts";
import { consume } from "../consume.ts";
import { json } from "../output.ts";
import { parsePairs } from "../pairs.ts";
import { usage } from "../parse.ts";
import { makeProgress, type Progress } from "../progress.ts";
import { uploadFolder } from "../upload.ts";

const options = {
  image: { type: "text", value: "REF", summary: "image to run" },
  path: { type: "text", value: "DIR", summary: "folder to run instead of an image" },
  command: { type: "text", value: "CMD", summary: "what to start in it; quotes group, no shell reads it" },
  port: { type: "integer", value: "N", min: 1, max: 65_535, summary: "port that it listens on inside" },
  publish: {
    type: "text",
    value: "[ADDR:]PORT",
    summary: "fixed address on this host; without ADDR on all of its interfaces",
  },
  domain: {
    type: "list",
    value: "DOMAIN",
    summary: "name under which the proxy answers: app.example.org, *.example.org, example.org/api",
  },
  env: { type: "list", value: "KEY=VALUE", summary: "variable for this and later versions" },
  volume: {
    type: "list",
    value: "SRC:DST",
    summary: "a volume's name or a folder of the host, mounted at DST",
  },
  memory: { type: "text", value: "SIZE", summary: "at most this much memory, such as 512m or 2g" },
  cpus: { type: "decimal", value: "N", min: 0.01, max: 1024, summary: "at most so many processors" },
  restart: { type: "text", value: "always|on-failure|no", summary: "what happens when it ends by itself" },
  provider: {
    type: "text",
    value: "NAME",
    summary: "what runs it: docker or process (for a folder always process)",
  },
  health: { type: "text", value: "PATH", summary: "HTTP path that answers 2xx or 3xx once it is up" },
  "health-timeout": { type: "text", value: "TIME", summary: "how long that may take, such as 90s" },
  detach: { type: "flag", short: "d", summary: "print the deploy's id and do not wait" },
} as const;

export const deploy = command({
  words: "deploy",
  summary: "deploy a service: the new version replaces the old one once it is healthy",
  args: [{ name: "service" }],
  options,
  example: [
    "voxeltron deploy web --image nginx:1.27 --port 80 --publish 8080",
    'voxeltron deploy api --path ./api --command "node server.js" --port 3000 --health /healthz',
    "voxeltron deploy web --image nginx:1.28 --domain www.example.org --domain example.org",
  ].join("\n"),
  notes: [
    "What is not given stays as it is in the version that runs. If the new version does not become healthy, the old one",
    "keeps running. Ctrl-C cancels and undoes; a second Ctrl-C leaves at once while the daemon goes on undoing.",
    "Domains are answered by the proxy, at the addresses that [proxy] http and https of the configuration name.",
    "Values given with --env are seen by other users of this machine while the command runs: for secrets that matter,",
    "use voxeltron secret set.",
  ],
  run: async (context) => {
    const service = argument(context, "service");
    const request = makeRequest(service, context.options);
    const progress = makeProgress(context.io, context.flags.json);
    const end = await runDeploy(context, request, progress);
    await context.io.stdout.write(context.flags.json ? json(end) : conclusion(end));
  },
});

// --- internal ---

type Values = OptionValues<typeof options>;
type Request = Omit<Input<"deploy.run">, "upload"> & { readonly path: string | undefined };

function makeRequest(service: string, values: Values): Request {
  const { path, image } = values;
  if (path !== undefined && image !== undefined)
    throw usage("--image and --path exclude each other", { words: "deploy" });
  const healthTimeoutMs = parseTimeout(values["health-timeout"]);
  return {
    service,
    path,
    ...given({
      image,
      command: values.command,
      port: values.port,
      publish: values.publish,
      memory: values.memory,
      cpus: values.cpus,
      restart: values.restart,
      provider: values.provider,
      health: values.health,
      healthTimeoutMs,
      domains: values.domain.length === 0 ? undefined : [...values.domain],
      volumes: values.volume.length === 0 ? undefined : [...values.volume],
      env: values.env.length === 0 ? undefined : parsePairs(values.env),
      detach: values.detach ? true : undefined,
    }),
  };
}

/** Without what was not given: absent means "as it is", and undefined can't be sent. */
function given<T extends object>(values: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as {
    [K in keyof T]?: Exclude<T[K], undefined>;
  };
}

function parseTimeout(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const ms = parseDuration(text);
  if (ms !== undefined && ms > 0) return ms;
  throw usage(`--health-timeout wants a time such as 90s or 2m, found ${quote(text)}`, { words: "deploy" });
}

/** The first Ctrl-C asks the daemon to undo and waits for it; the second lets go of the connection. */
async function runDeploy(
  context: Pick<Context, "io" | "client" | "setStatus">,
  request: Request,
  progress: Progress,
): Promise<Output<"deploy.run">> {
  const client = await context.client();
  const letGo = new AbortController();
  let running = false;
  let interrupted = false;
  const stopListening = context.io.onInterrupt(() => {
    if (interrupted || !running) {
      letGo.abort(fail("operation.interrupted", "interrupted"));
      return;
    }
    interrupted = true;
    void cancel(client, request.service, progress);
  });
  try {
    const { path, ...input } = request;
    const upload =
      path === undefined ? {} : { upload: await sendFolder(client, path, progress, letGo.signal) };
    running = true;
    const stream = client.stream("deploy.run", { ...input, ...upload }, { signal: letGo.signal });
    const end = await consume(stream, (item) => progress.show(item));
    // Too late to cancel. The caller's script should stop all the same.
    if (interrupted) context.setStatus(INTERRUPTED);
    return end;
  } finally {
    stopListening();
    await progress.clear();
  }
}

const INTERRUPTED = 130;

async function sendFolder(
  client: Client,
  path: string,
  progress: Progress,
  signal: AbortSignal,
): Promise<string> {
  await progress.show({ step: "upload", text: path });
  return uploadFolder(client, path, "app", signal);
}

async function cancel(client: Client, service: string, progress: Progress): Promise<void> {
  try {
    await progress.note("cancelling; press Ctrl-C again to leave without waiting");
    await client.call("deploy.cancel", { service });
  } catch (error) {
    // Most likely it ended in between, and the stream is about to say so.
    await progress.note(`could not cancel: ${messageOf(error)}`).catch(() => {});
  }
}

function conclusion(end: Output<"deploy.run">): string {
  if (end.detached) return `${printable(end.deploy)}\n`;
  const address = end.address === null ? "" : ` at ${printable(end.address)}`;
  return `✓ ${printable(end.service)} version ${end.version} runs${address} (${formatDuration(end.durationMs)})\n`;
}
