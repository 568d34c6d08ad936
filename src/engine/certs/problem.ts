/**
 * Why there is no new certificate, in kinds that an operator can act upon, with the authority's own words. Pure. Called by whatever
 * gets certificates, and by keeper.ts, which writes it down.
 */
import { fail, isVoxError, type VoxError } from "../../base/errors.ts";
import { LIMITS } from "../../base/limits.ts";
import { printable } from "../../base/text.ts";

export type Problem =
  /** The domain's name can't be resolved. */
  | "dns"
  /** The authority did not find this machine at the domain. */
  | "validation"
  /** The authority can't be reached, or is out of order. */
  | "unavailable"
  | "rate-limited"
  | "order-expired"
  /** Anything else that the authority won't do. */
  | "refused"
  /** Keys, files or settings of this machine. */
  | "misconfigured"
  | "internal";

export interface Failure {
  readonly problem: Problem;
  readonly message: string;
  /** What the authority asks to wait. */
  readonly waitMs?: number | undefined;
  /** The authority's own name for it, such as `rateLimited`. */
  readonly type?: string | undefined;
}

/** What the attempt throws; `failureOf` gives it back. */
export function certFailure({ problem, message, waitMs, type }: Failure, cause?: unknown): VoxError {
  return fail("certificate.failed", printable(message, LIMITS.errorTextChars), {
    details: {
      problem,
      ...(waitMs === undefined ? {} : { waitMs }),
      ...(type === undefined ? {} : { type }),
    },
    cause,
  });
}

export function failureOf(error: unknown): Failure {
  if (!isVoxError(error)) return { problem: "internal", message: "something went wrong inside voxeltron" };
  const { message, details } = error;
  if (error.code !== "certificate.failed") return { problem: "misconfigured", message };
  return { message, ...(details as unknown as Omit<Failure, "message">) };
}

/** A problem document of RFC 7807, as authorities answer and as they keep it with what they could not validate. */
export interface ProblemDocument {
  readonly type?: unknown;
  readonly detail?: unknown;
  readonly subproblems?: unknown;
}

/** `rateLimited` of `urn:ietf:params:acme:error:rateLimited`. */
export function typeOf({ type }: ProblemDocument): string | undefined {
  return typeof type === "string" ? /^urn:ietf:params:acme:error:(\w{1,50})$/.exec(type)?.[1] : undefined;
}

/** The authority's sentence, with those about single names behind it. */
export function detailOf({ detail, subproblems }: ProblemDocument): string {
  const more = Array.isArray(subproblems)
    ? subproblems.map((each: ProblemDocument | null) => each?.detail).filter((text) => text !== detail)
    : [];
  const texts = [detail, ...more].filter((text) => typeof text === "string" && text !== "");
  return texts.length === 0 ? "without a word" : printable(texts.join("; "), LIMITS.errorTextChars);
}

/** The kind of a problem that the authority had with the domain itself, rather than with us. */
export function validationProblem(document: ProblemDocument): Problem {
  return VALIDATION[typeOf(document) ?? ""] ?? "refused";
}

/** The kind of an answer that is an error. */
export function answerProblem(status: number, type: string | undefined): Problem {
  if (status === 429 || type === "rateLimited") return "rate-limited";
  if (status >= 500) return "unavailable";
  return type === "dns" ? "dns" : "refused";
}

// --- internal ---

const VALIDATION: Readonly<Record<string, Problem>> = {
  dns: "dns",
  connection: "validation",
  unauthorized: "validation",
  incorrectResponse: "validation",
  tls: "validation",
  rateLimited: "rate-limited",
  serverInternal: "unavailable",
};
