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
  /** Whose engine it is; undefined: this machine's. */
  readonly server?: string | undefined;
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
  readonly about?: "image" | "instance" | "server";
  readonly code: ErrorCode;
  readonly message: (task: DockerTask, text: string) => string;
  readonly hint?: (task: DockerTask) => string | undefined;
}

const LAST_ROW: Row = { code: "provider.failed", message: (task, text) => `could not ${task.what}: ${text}` };

const login = (task: DockerTask) =>
  `voxeltron registry login ${task.image === undefined ? "HOST" : registryOf(task.image)}`;

/** As the runtime and OpenSSL call what is wrong with a certificate. */
const UNSIGNED =
  /^(UNABLE_TO_\w+|DEPTH_ZERO_SELF_SIGNED_CERT|SELF_SIGNED_CERT_IN_CHAIN|INVALID_CA|CERT_(?:UNTRUSTED|REJECTED|SIGNATURE_FAILURE|CHAIN_TOO_LONG)|INVALID_PURPOSE)$/;
const OUT_OF_TIME = /^CERT_(?:HAS_EXPIRED|NOT_YET_VALID)$/;
const REFUSED_BY_ENGINE = /^ERR_SSL_\w*ALERT/;

const serverKeys = ({ server }: DockerTask): string => `[servers.${server}]`;

/** The engine of a server: who answers, and whether it is who it should be. */
const SERVER_ROWS: readonly Row[] = [
  {
    about: "server",
    socket: UNSIGNED,
    code: "server.untrusted",
    message: (task, text) =>
      `the certificate at ${task.endpoint} is not signed by the ca of ${task.server}: ${text}`,
    hint: (task) =>
      `if it is the right server, set ca in ${serverKeys(task)} to the certificate that signed the engine's`,
  },
  {
    about: "server",
    socket: /^ERR_TLS_CERT_ALTNAME_INVALID$/,
    code: "server.untrusted",
    message: (task, text) => `the certificate at ${task.endpoint} is of another host: ${text}`,
    hint: (task) =>
      `put the host into the engine's certificate, or its name as tls_name into ${serverKeys(task)}`,
  },
  {
    about: "server",
    socket: OUT_OF_TIME,
    code: "server.untrusted",
    message: (task, text) => `the certificate of the engine at ${task.endpoint}: ${text}`,
    hint: () => "give the engine a new one, or put this machine's clock right",
  },
  {
    about: "server",
    socket: REFUSED_BY_ENGINE,
    code: "server.refused",
    message: (task, text) => `the engine at ${task.endpoint} refuses our certificate: ${alertIn(text)}`,
    hint: (task) =>
      `cert and key in ${serverKeys(task)} must be signed by the engine's --tlscacert, and not be expired`,
  },
  {
    about: "server",
    socket:
      /^(ERR_SSL_WRONG_VERSION_NUMBER|ERR_SSL_HTTP_REQUEST|ERR_SSL_PACKET_LENGTH_TOO_LONG|ERR_SSL_UNSUPPORTED_PROTOCOL)$/,
    code: "server.unsupported",
    message: (task) => `what answers at ${task.endpoint} does not speak TLS 1.2 or 1.3`,
    hint: () => "run the engine with --tlsverify",
  },
  {
    about: "server",
    socket: /^HPE_/,
    code: "server.unsupported",
    message: (task, text) => `what answers at ${task.endpoint} is no docker engine: ${text}`,
  },
  {
    about: "server",
    words: /Max redirects exceeded/,
    code: "server.unsupported",
    message: (task) => `what answers at ${task.endpoint} is no docker engine: it sends us elsewhere`,
  },
  {
    about: "server",
    socket: /^(EACCES|EPERM)$/,
    code: "provider.unavailable",
    message: (task) => `the daemon may not open the socket ${task.endpoint} of ${task.server}`,
  },
  {
    about: "server",
    socket: /^(ENOTFOUND|EAI_AGAIN)$/,
    code: "provider.unavailable",
    message: (task) => `the host of ${task.endpoint} has no address`,
    hint: (task) => `look at docker in ${serverKeys(task)}, and at the name service`,
  },
  {
    about: "server",
    socket: /^(ENOENT|ECONNREFUSED|EHOSTUNREACH|ENETUNREACH|ETIMEDOUT|ENOTSOCK|ENOTDIR)$/,
    code: "provider.unavailable",
    message: (task) => `no docker engine of ${task.server} answers at ${task.endpoint}`,
    hint: (task) => `is it running there? the address is docker in ${serverKeys(task)}`,
  },
];

const ROWS: readonly Row[] = [
  ...SERVER_ROWS,
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

/** `TLSV1_ALERT_UNKNOWN_CA` in words, out of OpenSSL's line. */
function alertIn(text: string): string {
  const alert = /ALERT_(\w+)/.exec(text)?.[1];
  return alert === undefined ? text : alert.toLowerCase().replaceAll("_", " ");
}

function addressIn(text: string): string {
  return /\d+(?:\.\d+){3}:\d+/.exec(text)?.[0] ?? "for its port";
}
