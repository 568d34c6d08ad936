/**
 * Which folders of the host a plugin's container may have: exactly those that the operator lists, as they are on the disk at that
 * moment. Folders that hold an engine's socket, the daemon's own files or the kernel's are refused however they are spelled and
 * whoever lists them. Called by make.ts,
 * before a container is made and before each start.
 */
import { realpath, stat } from "node:fs/promises";
import { fail } from "../../../../base/errors.ts";
import { quote } from "../../../../base/text.ts";
import { closed, type ContainerRules } from "./rules.ts";

export interface BindPlaces {
  /** The engine's own socket; undefined where it is on another machine. */
  readonly engineSocket: string | undefined;
  /** The daemon's data and its socket: whoever has these is the operator. */
  readonly own: readonly string[];
}

/** Gives the path without links, which is what the engine is told. Throws `container.invalid`, `capability.out_of_scope`. */
export async function checkBindSource(
  source: string,
  rules: Pick<ContainerRules, "allow_binds" | "allow_docker_socket">,
  places: BindPlaces,
): Promise<string> {
  if (!isPlainPath(source))
    throw fail("container.invalid", `wanted an absolute path without . and .., found ${quote(source)}`);
  if (places.engineSocket === undefined)
    throw fail(
      "capability.out_of_scope",
      "the docker engine is on another machine, whose folders can't be looked at",
    );
  const real = await realpath(source).catch(() => undefined);
  if (real !== undefined && (await isEngineSocket(real, rules, places.engineSocket))) return real;
  const listed = await realPaths(rules.allow_binds);
  if (!rules.allow_binds.includes(source) && !listed.includes(source)) throw notListed(source);
  if (real === undefined) throw fail("container.invalid", `the folder ${quote(source)} is not there`);
  // A link that was put in the place of a listed folder since leads elsewhere.
  if (!listed.includes(real)) throw notListed(source);
  await checkKept(source, real, places);
  return real;
}

/** One spelling of a path: absolute, nothing twice, nothing up, nothing hidden. */
export function isPlainPath(path: string): boolean {
  return path === "/" || /^(?:\/(?!\.{1,2}(?:\/|$))[^/\p{Cc}\p{Cf}]+)+$/u.test(path);
}

// --- internal ---

/** Where engines and what drives them listen by default: any of these is root. */
const ENGINE_SOCKETS = [
  "/var/run/docker.sock",
  "/run/docker.sock",
  "/run/containerd/containerd.sock",
  "/run/podman/podman.sock",
  "/run/crio/crio.sock",
];

/** The kernel's folders and the engines': below them are other ways to the same sockets, and the files of all containers. */
const NEVER = [
  "/proc",
  "/sys",
  "/dev",
  "/run/docker",
  "/run/containerd",
  "/var/lib/docker",
  "/var/lib/containerd",
  "/var/lib/containers",
];

/** True for the engine's own socket where the operator opens it. Throws for it, and for what holds any engine's, where not. */
async function isEngineSocket(
  real: string,
  { allow_docker_socket: isOpen }: Pick<ContainerRules, "allow_docker_socket">,
  engineSocket: string,
): Promise<boolean> {
  const named = [engineSocket, ...ENGINE_SOCKETS];
  const sockets = [...named, ...(await realPaths(named))];
  if (!isOpen && sockets.some((socket) => holds(real, socket)))
    throw closed("the engine's socket, which is all power over this machine", "allow_docker_socket = true");
  return isOpen && (await realPaths([engineSocket])).includes(real);
}

async function checkKept(source: string, real: string, places: BindPlaces): Promise<void> {
  const kept = [...(await realPaths(places.own)), ...places.own, ...NEVER];
  const isKept = kept.some((place) =>
    [real, source].some((path) => holds(path, place) || holds(place, path)),
  );
  if (isKept || (await stat(real)).isSocket())
    throw fail(
      "capability.out_of_scope",
      `containers that plugins make may not have ${quote(source)}: it is a socket, or holds files of the daemon, the engine or the kernel`,
    );
}

function notListed(source: string): Error {
  const isSafe = /^[\w./-]+$/.test(source);
  return closed(
    `the folder ${quote(source)} of the host`,
    `allow_binds = [${isSafe ? JSON.stringify(source) : "…"}]`,
  );
}

/** `inner` is `outer` or below it. */
function holds(outer: string, inner: string): boolean {
  return inner === outer || inner.startsWith(outer === "/" ? "/" : `${outer}/`);
}

async function realPaths(paths: readonly string[]): Promise<string[]> {
  const found = await Promise.all(paths.map((path) => realpath(path).catch(() => undefined)));
  return found.filter((path) => path !== undefined);
}
