/**
 * What the engine's failures mean, as one table: the first row that fits decides. Pure. The engine has no codes of its
 * own beyond HTTP's, so most rows look at its words. Called by every file here that talks to the engine.
 */
import { fail, isVoxError, messageOf, type ErrorCode, type VoxError } from "../../../base/errors.ts";
import { printable } from "../../../base/text.ts";
import { registryOf } from "../../registry-host.ts";

/** What was being done, for the message. */
export interface DockerTask {
  /** Completes "could not …": `start vx-web-3-1f2e3d4c`. */
  readonly what: string;
  /** Where the engine was looked for. */
  readonly endpoint: string;
  readonly image?: string | undefined;
  readonly instance?: string | undefined;
}

/** The VoxError for anything that the client threw, or that an event of a pull said. A VoxError stays what it is. */
export function dockerError(error: unknown, task: DockerTask): VoxError {
  if (isVoxError(error)) return error;
  const failure = readFailure(error);
  const row = ROWS.find((candidate) => fits(candidate, failure, task)) ?? LAST_ROW;
  return fail(row.code, row.message(task, failure.text), {
    hint: row.hint?.(task),
    details: { ...(failure.status === undefined ? {} : { status: failure.status }), engine: failure.text },
  });
}

/** The status of an answer of the engine, if `error` is one. */
export function engineStatus(error: unknown): number | undefined {
  const { statusCode } = (error ?? {}) as ClientError;
  return typeof statusCode === "number" ? statusCode : undefined;
}

// --- internal ---

interface ClientError {
  readonly statusCode?: unknown;
  readonly code?: unknown;
  readonly json?: { readonly message?: unknown } | null;
}

interface Failure {
  readonly status: number | undefined;
  readonly socketCode: string | undefined;
  readonly text: string;
}

interface Row {
  readonly status?: number;
  readonly socket?: RegExp;
  readonly words?: RegExp;
  /** Rows that only make sense when the task names this. */
  readonly about?: "image" | "instance";
  readonly code: ErrorCode;
  readonly message: (task: DockerTask, text: string) => string;
  readonly hint?: (task: DockerTask) => string | undefined;
}

const LAST_ROW: Row = { code: "provider.failed", message: (task, text) => `could not ${task.what}: ${text}` };

const login = (task: DockerTask) =>
  `voxeltron registry login ${task.image === undefined ? "HOST" : registryOf(task.image)}`;

const ROWS: readonly Row[] = [
  {
    socket: /^(EACCES|EPERM)$/,
    code: "provider.unavailable",
    message: (task) => `the daemon may not open the docker engine's socket ${task.endpoint}`,
    hint: () => "run the daemon as root, or as a member of the group docker",
  },
  {
    socket: /^(ENOENT|ECONNREFUSED|ENOTFOUND|EHOSTUNREACH|ENETUNREACH|ETIMEDOUT|ENOTSOCK|ENOTDIR)$/,
    code: "provider.unavailable",
    message: (task) => `no docker engine answers at ${task.endpoint}`,
    hint: () =>
      "start it with: systemctl start docker; or set [docker] socket; or deploy a folder with --path",
  },
  {
    socket: /^(ECONNRESET|EPIPE|ECONNABORTED|UND_ERR_SOCKET)$/,
    code: "provider.unavailable",
    message: (task) => `the docker engine at ${task.endpoint} ended the connection`,
  },
  {
    words: /port is already allocated|address already in use/,
    code: "deploy.port_taken",
    message: (_task, text) => `the address ${addressIn(text)} is taken by something else`,
  },
  {
    about: "image",
    words: /invalid reference format|invalid repository name|invalid tag format/,
    code: "service.invalid",
    message: (task) => `${task.image} is not the name of an image`,
    hint: () => "write it as [host[:port]/]name[:tag], in lower case",
  },
  {
    about: "image",
    words:
      /unauthorized|no basic auth credentials|authentication required|incorrect username or password|denied: (?!requested access)/i,
    code: "registry.denied",
    message: (task) => `the registry ${registryOf(task.image ?? "")} did not let us pull ${task.image}`,
    hint: login,
  },
  {
    about: "image",
    words:
      /manifest unknown|manifest for .* not found|no such image|repository .* not found|name unknown|does not exist or may require/i,
    code: "deploy.image_not_found",
    message: (task) => `there is no image ${task.image}`,
    hint: (task) => `check the name and the tag; if it is private: ${login(task)}`,
  },
  {
    about: "image",
    words:
      /dial tcp|lookup |connection refused|i\/o timeout|TLS handshake|x509|EOF|server gave HTTP response/i,
    code: "deploy.pull_failed",
    message: (task, text) => `could not reach the registry ${registryOf(task.image ?? "")}: ${text}`,
  },
  {
    words: /no space left on device/i,
    code: "disk.full",
    message: (task) => `the docker engine has no space left to ${task.what}`,
  },
  {
    words: /bind source path does not exist/,
    code: "service.invalid",
    message: (_task, text) => `a volume's source is not there: ${text.split(": ").at(-1)}`,
    hint: () => "create the folder first, or give a name instead of a path",
  },
  {
    words: /executable file not found|OCI runtime create failed|no command specified/i,
    code: "service.invalid",
    message: (_task, text) =>
      `the image can't run the command: ${text.replace(/^.*unable to start container process: /, "")}`,
  },
  {
    about: "instance",
    status: 404,
    code: "instance.not_found",
    message: (task) => `the engine has no container ${task.instance}`,
  },
  {
    about: "instance",
    words: /is not running|is paused/,
    code: "service.stopped",
    message: (task) => `${task.instance} is not running`,
  },
  { status: 400, code: "service.invalid", message: (task, text) => `could not ${task.what}: ${text}` },
];

function readFailure(error: unknown): Failure {
  const { code, json } = (error ?? {}) as ClientError;
  const words = typeof json?.message === "string" ? json.message : messageOf(error);
  return {
    status: engineStatus(error),
    socketCode: typeof code === "string" ? code : undefined,
    text: printable(words.replace(/^\(HTTP code \d+\) [^-]* - /, "").trim(), 400),
  };
}

function fits(row: Row, failure: Failure, task: DockerTask): boolean {
  if (row.about !== undefined && task[row.about] === undefined) return false;
  if (row.status !== undefined && row.status !== failure.status) return false;
  if (row.socket !== undefined)
    return failure.socketCode !== undefined && row.socket.test(failure.socketCode);
  return row.words === undefined || row.words.test(failure.text);
}

function addressIn(text: string): string {
  return /\d+(?:\.\d+){3}:\d+/.exec(text)?.[0] ?? "for its port";
}
