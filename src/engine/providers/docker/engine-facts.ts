/**
 * What an engine says of itself, as far as it matters: anything may answer at an address, and an old engine would leave out what it is
 * told without a word. Called by engine-desk.ts.
 */
import type Docker from "dockerode";
import { fail } from "../../../base/errors.ts";
import { isObject } from "../../../base/is-object.ts";
import { printable } from "../../../base/text.ts";
import { engineStatus } from "./errors.ts";

export interface EngineFacts {
  readonly version: string;
  readonly apiVersion: string;
}

/** Throws `server.unsupported`, and what the client throws where nothing answers. */
export async function readEngineFacts(docker: Docker, abortSignal: AbortSignal): Promise<EngineFacts> {
  const { Version: version, ApiVersion: apiVersion } = await ask(docker, abortSignal);
  if (typeof version !== "string" || typeof apiVersion !== "string" || !/^\d+\.\d+$/.test(apiVersion))
    throw noEngine();
  const facts = { version: printable(version, 60), apiVersion };
  if (!isRecent(apiVersion))
    throw fail(
      "server.unsupported",
      `the docker engine ${facts.version} speaks API ${apiVersion}, wanted ${LEAST.join(".")} or newer`,
      { hint: "bring a newer engine to the server: 20.10 is the oldest that works" },
    );
  return facts;
}

// --- internal ---

/** Of Docker 20.10, the oldest with which all of this is tested. */
const LEAST = [1, 41] as const;

interface Answer {
  readonly Version?: unknown;
  readonly ApiVersion?: unknown;
}

async function ask(docker: Docker, abortSignal: AbortSignal): Promise<Answer> {
  try {
    const options = { path: "/version", method: "GET", abortSignal, statusCodes: { 200: true } };
    const answer = await new Promise<unknown>((resolve, reject) => {
      const modem: { dial(options: object, answer: (error: unknown, data: unknown) => void): void } =
        docker.modem;
      modem.dial(options, (error, data) => (error === null ? resolve(data) : reject(error)));
    });
    return isObject(answer) ? answer : {};
  } catch (error) {
    // It speaks HTTP and knows no such question.
    throw engineStatus(error) === undefined ? error : noEngine(engineStatus(error));
  }
}

function noEngine(status?: number): Error {
  const found = status === undefined ? "something else" : `an answer with status ${status}`;
  return fail("server.unsupported", `wanted a docker engine, found ${found}`);
}

function isRecent(apiVersion: string): boolean {
  const [major = 0, minor = 0] = apiVersion.split(".").map(Number);
  return major > LEAST[0] || (major === LEAST[0] && minor >= LEAST[1]);
}
