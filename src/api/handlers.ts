/**
 * Operation → the part that does it. One or two lines each: nothing is decided here. The type makes the compiler ask for a
 * handler for every operation, with its input and output. Called by server.ts.
 */
import { VERSION } from "../base/version.ts";
import type { Parts } from "../daemon/compose.ts";
import { testNotification } from "../engine/notify/notification.ts";
import type { Services } from "../engine/services/services.ts";
import type { PluginSource } from "../host/install/plugin-source.ts";
import type { Input, Item, Output, StreamName, UnaryName, UploadAnswer, UploadKind } from "./operations.ts";
import { makeProgressStream } from "./progress-stream.ts";

export type Handlers = {
  readonly [N in UnaryName]: (input: Input<N>, signal: AbortSignal) => Output<N> | Promise<Output<N>>;
} & {
  readonly [N in StreamName]: (
    input: Input<N>,
    signal: AbortSignal,
  ) => AsyncGenerator<Item<N>, Output<N>, undefined>;
};

export type UploadHandler = (kind: UploadKind, body: ReadableStream<Uint8Array>) => Promise<UploadAnswer>;

export interface DaemonFacts {
  readonly dataDir: string;
  readonly startedAt: string;
}

export function makeHandlers(parts: Parts, facts: DaemonFacts): Handlers {
  return {
    ...daemonHandlers(parts, facts),
    ...pluginHandlers(parts),
    ...serviceHandlers(parts),
    ...workspaceHandlers(parts),
    ...secretHandlers(parts),
    ...certHandlers(parts),
    ...eventHandlers(parts),
    ...notifyHandlers(parts),
    ...serverHandlers(parts),
    ...alertHandlers(parts),
  };
}

// --- internal ---

/** Who consents: whoever could open the socket. */
const OPERATOR = "operator";

type Part<Prefix extends string> = Pick<Handlers, Extract<keyof Handlers, `${Prefix}.${string}`>>;

function daemonHandlers({ confinement, examine }: Parts, facts: DaemonFacts): Part<"daemon"> {
  return {
    "daemon.info": () => ({
      version: VERSION,
      pid: process.pid,
      ...facts,
      confinement: confinement.status(),
    }),
    "daemon.doctor": () => examine(),
  };
}

function pluginHandlers({ plugins, uploads }: Parts): Part<"plugin"> {
  function sourceOf(source: Input<"plugin.inspect">["source"]): PluginSource {
    return "upload" in source ? { files: uploads.plugin(source.upload) } : source;
  }
  return {
    "plugin.inspect": ({ source }) => plugins.inspect(sourceOf(source)),
    async "plugin.install"({ source, ...consent }) {
      const view = await plugins.install({ ...consent, source: sourceOf(source), by: OPERATOR });
      if ("upload" in source) uploads.dropPlugin(source.upload);
      return view;
    },
    async "plugin.reload"({ name, upload }) {
      const files = uploads.plugin(upload);
      uploads.dropPlugin(upload);
      return plugins.reload(name, files);
    },
    "plugin.rollback": ({ name, to }) => plugins.rollback(name, to, OPERATOR),
    "plugin.list": () => plugins.survey(),
    "plugin.info": ({ name }) => plugins.info(name),
    "plugin.remove": async ({ name, ...options }) => ({ folder: await plugins.remove(name, options) }),
    "plugin.enable": ({ name }) => plugins.enable(name),
    "plugin.disable": ({ name }) => plugins.disable(name),
    "plugin.grant": ({ name, ...request }) => plugins.grant(name, request, OPERATOR),
    "plugin.revoke": ({ name, capability }) => plugins.revoke(name, capability),
    async *"plugin.logs"({ name, follow, limit }, signal) {
      yield* plugins.logs(name, { follow, limit, signal });
      return {};
    },
    "plugin.audit": ({ name, ...which }) => plugins.audit(name, which),
    async *"plugin.calls"({ name, follow, limit, ...which }, signal) {
      yield* plugins.calls(name, which, { follow, limit, signal });
      return {};
    },
    "plugin.call": ({ name, hook, event }, signal) => plugins.call(name, hook, { event, signal }),
  };
}

function secretHandlers({ secrets, keyRotation, registries }: Parts): Part<"secret" | "registry"> {
  return {
    "secret.set": ({ service, name, value }) => secrets.set(service, name, value),
    "secret.list": ({ service }) => ({ secrets: secrets.list(service) }),
    "secret.unset"({ service, names }) {
      secrets.unset(service, names);
      return {};
    },
    "secret.rotate": () => ({ sealed: keyRotation.rotate() }),
    "registry.login"(login) {
      registries.login(login);
      return {};
    },
    "registry.list": () => ({ registries: registries.list() }),
    "registry.logout"({ host }) {
      registries.logout(host);
      return {};
    },
  };
}

function alertHandlers({ alerts }: Parts): Part<"alert"> {
  return {
    "alert.list": ({ all = false }) => ({ alerts: alerts.list(all) }),
    "alert.silence": (request) => ({ ...alerts.silence(request) }),
    "alert.test": async ({ name }) => ({ channels: [...(await alerts.test(name))] }),
  };
}

function serviceHandlers({
  deploys,
  services,
  environment,
  metrics,
}: Parts): Part<"deploy" | "service" | "env" | "metrics"> {
  return {
    // A lost connection does not cancel a deploy: only deploy.cancel does.
    "deploy.run": (input) =>
      makeProgressStream((progress) =>
        deploys.run(input, {
          progress: (step) => void progress(step),
          signal: new AbortController().signal,
        }),
      ),
    "deploy.rollback": (input) =>
      makeProgressStream((progress) =>
        deploys.rollback(input, {
          progress: (step) => void progress(step),
          signal: new AbortController().signal,
        }),
      ),
    async "deploy.cancel"({ service }) {
      await deploys.cancel(service);
      return {};
    },
    "service.list": async () => ({ services: await services.list() }),
    "service.info": ({ name }) => services.info(name),
    async *"service.logs"({ name, ...query }, signal) {
      yield* services.logs(name, { ...query, signal });
      return {};
    },
    "service.stop": ({ name }) => services.stop(name),
    "service.start": ({ name }, signal) => services.start(name, signal),
    async "service.remove"({ name, abandon }) {
      await services.remove(name, abandon);
      return {};
    },
    "service.exec": (input, signal) => runInside(input, signal, services),
    "metrics.query": (question) => metrics.query(question),
    "env.list": ({ name }) => ({ env: { ...environment.list(name) } }),
    "env.set"({ name, env }) {
      environment.set(name, env);
      return {};
    },
    "env.unset"({ name, keys }) {
      environment.unset(name, keys);
      return {};
    },
  };
}

function certHandlers({ certificates }: Parts): Part<"cert"> {
  return {
    "cert.list": () => ({ certificates: [...certificates.list()] }),
    async *"cert.renew"({ domain }) {
      yield* certificates.renew(domain);
      return {};
    },
  };
}

function workspaceHandlers({ workspaces }: Parts): Part<"workspace"> {
  return {
    // A lost connection cancels nothing: only workspace.cancel does.
    "workspace.create": (input) =>
      makeProgressStream((progress) => workspaces.create(input, (step) => void progress(step))),
    "workspace.start": ({ name }) =>
      makeProgressStream((progress) => workspaces.start(name, (step) => void progress(step))),
    "workspace.stop": ({ name }) => workspaces.stop(name),
    "workspace.destroy": ({ name, force = false }) => workspaces.destroy(name, force),
    async "workspace.cancel"({ name }) {
      await workspaces.cancel(name);
      return {};
    },
    "workspace.list": async () => ({ workspaces: await workspaces.list() }),
    "workspace.info": ({ name }) => workspaces.info(name),
    async *"workspace.logs"({ name, ...query }, signal) {
      yield* workspaces.logs(name, { ...query, signal });
      return {};
    },
    "workspace.exec": (input, signal) => runInside(input, signal, workspaces),
  };
}

function runInside(
  { name, command, stdin }: Input<"service.exec">,
  signal: AbortSignal,
  { exec }: Pick<Services, "exec">,
): AsyncGenerator<Item<"service.exec">, Output<"service.exec">, undefined> {
  return makeProgressStream(async (output) => ({
    exitCode: await exec(name, {
      command,
      stdin: stdin === undefined ? undefined : Buffer.from(stdin, "base64"),
      signal,
      output: (stream, bytes) => output({ stream, b64: Buffer.from(bytes).toString("base64") }),
    }),
  }));
}

function eventHandlers({ feed, dispatcher }: Parts): Part<"event"> {
  return {
    "event.list": ({ limit, hook }) => ({ events: [...feed.list(limit, hook)] }),
    async *"event.follow"({ hook }, signal) {
      yield* feed.follow(hook, signal);
      return {};
    },
    "event.replay": ({ id }) => dispatcher.replay(id),
  };
}

function serverHandlers({ servers }: Parts): Part<"server"> {
  return { "server.list": async () => ({ servers: [...(await servers.look())] }) };
}

function notifyHandlers({ notify }: Parts): Part<"notify"> {
  return {
    "notify.list": () => ({ channels: [...notify.list()] }),
    "notify.test": ({ channel }, signal) => notify.send(channel, testNotification(channel), signal),
  };
}
