/** Heads of answers as they go to a client over HTTP/1.1. Pure. Called by http1.ts. */
import { STATUS_CODES } from "node:http";
import type { OwnAnswer } from "../desk.ts";
import type { ResponseHead } from "../http/response-head.ts";

export interface AnswerOptions {
  readonly isChunked: boolean;
  /** What is said about the connection's further life; nothing where that is understood. */
  readonly connection: "close" | "keep-alive" | "Upgrade" | undefined;
}

export function answerText(head: ResponseHead, { isChunked, connection }: AnswerOptions): string {
  let text = `HTTP/1.1 ${head.status} ${head.reason}\r\n${head.kept}`;
  if (head.length !== undefined) text += `Content-Length: ${head.length}\r\n`;
  if (isChunked) text += "Transfer-Encoding: chunked\r\n";
  if (connection !== undefined) text += `Connection: ${connection}\r\n`;
  if (connection === "Upgrade") text += "Upgrade: websocket\r\n";
  return `${text}\r\n`;
}

/** Whole, with its text unless only the head is wanted. */
export function ownAnswerText(
  answer: OwnAnswer,
  isHeadOnly: boolean,
  connection: AnswerOptions["connection"],
): string {
  const { status, text, headers = [] } = answer;
  let head = `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ""}\r\n`;
  for (const [name, value] of headers) head += `${name}: ${value}\r\n`;
  head += `Content-Type: text/plain; charset=utf-8\r\nContent-Length: ${Buffer.byteLength(text, "latin1")}\r\n`;
  if (connection !== undefined) head += `Connection: ${connection}\r\n`;
  return `${head}\r\n${isHeadOnly ? "" : text}`;
}
