/**
 * Decides everything about a deploy before it begins: what the new version is made from, on which provider, whether it may have
 * its address and domains. Creates nothing. Called by deploys.ts.
 */
import { fail, isVoxError } from "../../base/errors.ts";
import { quote } from "../../base/text.ts";
import { findLive, type Live } from "../live.ts";
import type { FolderBuild, Provider } from "../providers/provider.ts";
import { LOCAL } from "../providers/providers.ts";
import { checkPlainNames } from "../secrets/service-secrets.ts";
import type { ServiceDeps, Upload } from "../service-deps.ts";
import type { DeployRequest } from "./deploy-input.ts";
import {
  decodeSpec,
  EMPTY_SPEC,
  instanceSpec,
  isImage,
  NO_LOGINS,
  type ServiceSpec,
  type Source,
} from "./service-spec.ts";

export interface Plan {
  /** The deploy's id. */
  readonly id: string;
  readonly service: string;
  readonly spec: ServiceSpec;
  readonly provider: Provider;
  /** What is live until the switch. */
  readonly previous: Live | undefined;
  /** What becomes of the service's environment with the switch. */
  readonly env: EnvChange;
  /** To be moved to the spec's folder. */
  readonly upload: Upload | undefined;
  /** The image to run, where it is known to the digest; undefined: what its reference names by then. */
  readonly exactImage: string | undefined;
}

export interface EnvChange {
  readonly kind: "add" | "replace";
  readonly values: Readonly<Record<string, string>>;
}

/** Throws `service.invalid`, `secret.name_taken`, `provider.*`, `deploy.port_taken`, `deploy.domain_taken`. */
export function makePlan(
  id: string,
  request: DeployRequest,
  upload: Upload | undefined,
  deps: ServiceDeps,
): Plan {
  const { state } = deps;
  checkNewName(request.service, deps);
  checkPlainNames(state, request.service, Object.keys(request.env));
  const previous = findLive(state, state.services.find(request.service));
  const source = chooseSource(id, request, upload, previous?.spec, deps);
  const merged = mergeSpec(request, source, previous?.spec, {
    ...state.env.all(request.service),
    ...request.env,
  });
  const provider = chooseProvider(request, merged, previous?.spec, deps);
  const spec = { ...merged, provider: provider.name, source: fit(source, provider, request) };
  checkSpec(request.service, spec, deps);
  return {
    id,
    service: request.service,
    spec,
    provider,
    previous,
    env: { kind: "add", values: request.env },
    upload,
    // The same folder gives the same image, as long as that is there.
    exactImage:
      source === previous?.spec.source && spec.source.kind === "folder" ? builtFrom(previous) : undefined,
  };
}

/** Throws `service.invalid`, `deploy.port_taken`, `deploy.domain_taken`. */
export function checkSpec(service: string, spec: ServiceSpec, deps: ServiceDeps): void {
  checkConsistency(spec);
  checkDomains(service, spec, deps);
  if (spec.publish !== undefined) deps.edges.check(service, spec.publish);
}

// --- internal ---

/** In a plugin's scope (docker_read) it is the word for every container. A service that was deployed before they were refused goes on. */
const RESERVED = "all";

function checkNewName(service: string, { state }: ServiceDeps): void {
  if (service === RESERVED && state.services.find(service) === undefined)
    throw fail(
      "service.invalid",
      `a service can't be called ${quote(service)}: in a plugin's scope that stands for every container`,
      { hint: "choose another name" },
    );
}

type Draft = Omit<ServiceSpec, "provider">;

function chooseSource(
  id: string,
  request: DeployRequest,
  upload: Upload | undefined,
  previous: ServiceSpec | undefined,
  deps: ServiceDeps,
): Source {
  if (request.image !== undefined) return { kind: "image", reference: request.image };
  if (upload !== undefined)
    return {
      kind: "folder",
      path: deps.folders.pathFor(request.service, id),
      digest: upload.digest,
      build: chooseBuild(request, upload, deps),
    };
  if (previous !== undefined) return previous.source;
  throw fail("service.invalid", `the first deploy of ${request.service} needs an image or a folder`, {
    hint: "pass --image REFERENCE or --path FOLDER",
  });
}

function chooseBuild(request: DeployRequest, upload: Upload, deps: ServiceDeps): FolderBuild | undefined {
  const { dockerfile = DOCKERFILE, buildArgs: args = {} } = request;
  if (deps.folders.has(upload.directory, dockerfile)) return { dockerfile, args };
  if (request.dockerfile === undefined && request.buildArgs === undefined) return undefined;
  throw fail("service.invalid", `the folder has no file ${quote(dockerfile)} to build an image by`, {
    hint: "name it with --dockerfile FILE, relative to the folder",
  });
}

const DOCKERFILE = "Dockerfile";

/** A folder that a provider runs as it is may have a Dockerfile too, for another one. */
function fit(source: Source, provider: Provider, { dockerfile, buildArgs }: DeployRequest): Source {
  if (source.kind === "image" || source.build === undefined || provider.builds !== undefined) return source;
  if (dockerfile === undefined && buildArgs === undefined) return { ...source, build: undefined };
  throw fail("provider.unsupported", `the provider ${provider.name} builds no images`, {
    hint: "build it with: --provider docker",
  });
}

function builtFrom({ row, spec }: Live): string | undefined {
  return isImage(spec.source) ? row.image : undefined;
}

/** What the last version had and the request does not change; a command is not carried from an image to a folder. */
function mergeSpec(
  request: DeployRequest,
  source: Source,
  previous: ServiceSpec | undefined,
  env: Readonly<Record<string, string>>,
): Draft {
  const inherited = previous ?? EMPTY_SPEC;
  const command = previous?.source.kind === source.kind ? previous.command : undefined;
  const server = request.server ?? inherited.server;
  return { ...inherited, command, ...request.changes, server, source, env };
}

/**
 * The one that was named; else the last version's, if it ran the same kind of source on that server; else the default one. A folder
 * goes to the first provider that runs folders: no plugin does, and what it would say is not the reason.
 */
function chooseProvider(
  request: DeployRequest,
  draft: Draft,
  previous: ServiceSpec | undefined,
  deps: ServiceDeps,
): Provider {
  const isLike = previous?.source.kind === draft.source.kind && previous.server === draft.server;
  const inherited = isLike ? previous.provider : undefined;
  const name = request.provider ?? inherited;
  const first = deps.providers.of({ provider: name ?? defaultFor(draft.server, deps), server: draft.server });
  const others =
    name === undefined && draft.source.kind === "folder"
      ? deps.providers.all().filter((each) => each.server === draft.server && each.plainNames !== true)
      : [];
  let refusal: unknown;
  for (const provider of [first, ...others]) {
    refusal = refusalOf(provider, draft, request.service, deps.owner);
    if (refusal === undefined) return provider;
  }
  throw refusal;
}

/** The configuration's default is this machine's: elsewhere it is what runs there. */
function defaultFor(server: string, { providers, defaultProvider }: ServiceDeps): string {
  if (server === LOCAL) return defaultProvider;
  return providers.all().find((provider) => provider.server === server)?.name ?? defaultProvider;
}

function refusalOf(provider: Provider, draft: Draft, service: string, owner: string): unknown {
  const identity = { id: "vx-check", owner, service, version: 0, hostPort: draft.port };
  try {
    provider.check(instanceSpec({ ...draft, provider: provider.name }, identity, NO_LOGINS));
    return undefined;
  } catch (error) {
    if (isVoxError(error)) return error;
    throw error;
  }
}

function checkConsistency(spec: ServiceSpec): void {
  if (spec.port !== undefined) return;
  const wants = spec.publish !== undefined ? "publish" : spec.health !== undefined ? "health" : undefined;
  if (wants !== undefined)
    throw fail("service.invalid", `${wants} needs to know the port inside the instance`, {
      hint: `pass --port N, or take it away with --${wants} none`,
    });
}

function checkDomains(service: string, spec: ServiceSpec, deps: ServiceDeps): void {
  for (const row of deps.state.versions.listCurrent()) {
    if (row.service === service) continue;
    const taken = decodeSpec(row.spec).domains.find((domain) => spec.domains.includes(domain));
    if (taken !== undefined)
      throw fail("deploy.domain_taken", `the domain ${taken} belongs to service ${row.service}`, {
        details: { domain: taken, service: row.service },
      });
  }
}
