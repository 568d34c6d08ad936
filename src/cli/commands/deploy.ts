/** `deploy`: send what is to run, show how it comes up, and take it back on Ctrl-C. */
import type { Client } from "../../api/client.ts";
import type { Input } from "../../api/operations.ts";
import { parseDuration } from "../../base/duration.ts";
import { quote } from "../../base/text.ts";
import { argument, command, type OptionValues } from "../command.ts";
import { given } from "../given.ts";
import { parsePairs } from "../pairs.ts";
import { usage } from "../parse.ts";
import type { Progress } from "../progress.ts";
import { runDeploy } from "../run-deploy.ts";
import { uploadFolder } from "../upload.ts";

const options = {
  image: { type: "text", value: "REF", summary: "image to run" },
  path: {
    type: "text",
    value: "DIR",
    summary: "folder to run or, where it has a Dockerfile, to build an image from",
  },
  dockerfile: {
    type: "text",
    value: "FILE",
    summary: "what in the folder says how its image is built (Dockerfile)",
  },
  "build-arg": { type: "list", value: "KEY=VALUE", summary: "argument for the build; its image may show it" },
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
    summary: "what runs it: docker, process for a folder as it is, or a plugin that is a provider",
  },
  server: {
    type: "text",
    value: "NAME",
    summary: "machine that it runs on: local, or one of voxeltron server list",
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
    "voxeltron deploy shop --path ./shop --port 8080 --build-arg STAGE=production",
    'voxeltron deploy api --path ./api --command "node server.js" --port 3000 --health /healthz',
    "voxeltron deploy web --image nginx:1.28 --domain www.example.org --domain example.org",
    "voxeltron deploy web --server build-2",
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
    const { path, ...input } = makeRequest(service, context.options);
    await runDeploy(context, {
      service,
      async prepare(client, progress, signal) {
        const upload = path === undefined ? {} : { upload: await sendFolder(client, path, progress, signal) };
        return (letGo) => client.stream("deploy.run", { ...input, ...upload }, { signal: letGo });
      },
    });
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
      dockerfile: values.dockerfile,
      buildArgs: values["build-arg"].length === 0 ? undefined : parsePairs(values["build-arg"]),
      command: values.command,
      port: values.port,
      publish: values.publish,
      memory: values.memory,
      cpus: values.cpus,
      restart: values.restart,
      provider: values.provider,
      server: values.server,
      health: values.health,
      healthTimeoutMs,
      domains: values.domain.length === 0 ? undefined : [...values.domain],
      volumes: values.volume.length === 0 ? undefined : [...values.volume],
      env: values.env.length === 0 ? undefined : parsePairs(values.env),
      detach: values.detach ? true : undefined,
    }),
  };
}

function parseTimeout(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const ms = parseDuration(text);
  if (ms !== undefined && ms > 0) return ms;
  throw usage(`--health-timeout wants a time such as 90s or 2m, found ${quote(text)}`, { words: "deploy" });
}

async function sendFolder(
  client: Client,
  path: string,
  progress: Progress,
  signal: AbortSignal,
): Promise<string> {
  await progress.show({ step: "upload", text: path });
  return uploadFolder(client, path, "app", signal);
}
