/**
 * Reads the head of a client's HTTP/1.1 request. Whatever is ambiguous about where the request ends, or to whom it goes, is
 * refused. Pure. Called by the clients' side; what comes by HTTP/2 is brought into the same form there.
 */
import { LIMITS } from "../../../base/limits.ts";
import { listOf, readLength, readLines, Refusal, TOO_MANY, type BodyFraming, type Lines } from "./fields.ts";

export interface RequestHead {
  readonly method: string;
  /** What is asked for, from its slash on; or `*`. */
  readonly target: string;
  /** The same without the query. */
  readonly path: string;
  /** The host and port it is asked of, as the client wrote them; empty where it did not say. */
  readonly authority: string;
  /** The lines that are for the service, each with its end. */
  readonly kept: string;
  readonly body: BodyFraming;
  /** The client understands interim answers and chunks. */
  readonly isModern: boolean;
  /** Another request may follow on the same connection. */
  readonly keepsAlive: boolean;
  /** It wants to speak WebSocket from here on. */
  readonly upgrades: boolean;
}

/** `head` is everything up to the empty line, with the end of the last line but without the empty one. */
export function readRequestHead(head: string): RequestHead | Refusal {
  const line = FIRST_LINE.exec(head);
  if (line === null) return refusedLine(head);
  const [{ length }, method = "", target = "", minor] = line;
  if (target.length > LIMITS.proxyTargetBytes) return new Refusal(414, "the address is too long");
  const lines = readLines(head, length);
  if (typeof lines === "string") return new Refusal(lines === TOO_MANY ? 431 : 400, lines);
  return assemble(method, target, minor === "1", lines);
}

// --- internal ---

const FIRST_LINE = /^([!#$%&'*+\-.^_`|~0-9A-Za-z]{1,32}) ([\x21-\x7e\x80-\xff]+) HTTP\/1\.([01])\r\n/;

const badLine = new Refusal(400, "the first line is no request");

function refusedLine(head: string): Refusal {
  return /^[^\r\n]* HTTP\/\d\.\d\r\n/.test(head) && !/^[^\r\n]* HTTP\/1\.[01]\r\n/.test(head)
    ? new Refusal(505, "only HTTP/1.0, 1.1 and, encrypted, 2 are spoken here")
    : badLine;
}

function assemble(method: string, target: string, isModern: boolean, lines: Lines): RequestHead | Refusal {
  if (REFUSED_METHODS.has(method)) return new Refusal(405, `${method} is not taken here`);
  const { special, connection, kept } = lines;
  const place = readTarget(target, method);
  const host = special.get("host");
  if (place === undefined) return badLine;
  if (host === false || (host === undefined && isModern))
    return new Refusal(400, "a request has exactly one Host");
  // The address wins over Host, as the standard has it.
  const authority = place.authority ?? host ?? "";
  if ((host !== undefined && !isAuthority(host)) || (authority !== "" && !isAuthority(authority)))
    return new Refusal(400, "the host is no host name");
  const body = readFraming(lines, isModern);
  if (body instanceof Refusal) return body;
  const upgrade = special.get("upgrade");
  return {
    method,
    target: place.target,
    path: pathOf(place.target),
    authority,
    kept,
    body,
    isModern,
    keepsAlive: isModern ? !connection.has("close") : connection.has("keep-alive"),
    upgrades:
      isModern &&
      body === undefined &&
      connection.has("upgrade") &&
      typeof upgrade === "string" &&
      listOf(upgrade).includes("websocket"),
  };
}

/** Only what goes to a service. A tunnel to anywhere, and an echo of what the client's browser adds, are not for services. */
const REFUSED_METHODS: ReadonlySet<string> = new Set(["CONNECT", "TRACE"]);

function readTarget(
  target: string,
  method: string,
): { readonly target: string; readonly authority?: string } | undefined {
  if (target.startsWith("/")) return { target };
  if (target === "*" && method === "OPTIONS") return { target };
  const absolute = /^https?:\/\/([^/?#]+)(.*)$/i.exec(target);
  if (absolute === null) return undefined;
  const [, authority = "", rest = ""] = absolute;
  return { authority, target: rest.startsWith("/") ? rest : `/${rest}` };
}

function pathOf(target: string): string {
  const query = target.indexOf("?");
  return query < 0 ? target : target.slice(0, query);
}

function isAuthority(text: string): boolean {
  return AUTHORITY.test(text);
}

/** A name or an address, and perhaps a port; never a user, a path or a list. */
const AUTHORITY = /^(?:[A-Za-z0-9._-]{1,253}|\[[0-9A-Fa-f:.]{2,45}\])(?::\d{1,5})?$/;

function readFraming({ special }: Lines, isModern: boolean): BodyFraming | Refusal {
  const coding = special.get("transfer-encoding");
  const length = special.get("content-length");
  if (coding === false || length === false) return new Refusal(400, "the length of the body is said twice");
  if (coding === undefined) {
    if (length === undefined) return undefined;
    return readLength(length) ?? new Refusal(400, "the length of the body is no number");
  }
  if (length !== undefined) return new Refusal(400, "a body is chunked or has a length, not both");
  if (!isModern) return new Refusal(400, "HTTP/1.0 has no chunks");
  return coding.toLowerCase() === "chunked"
    ? "chunked"
    : new Refusal(501, "chunked is the only transfer coding that is understood here");
}
