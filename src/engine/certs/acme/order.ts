/**
 * One order at an authority, from the name to the certificate, by HTTP-01. Where it stands is known to the authority, and its address is
 * on record before anything is done with it: a daemon that was killed at any point goes on with it. One that is gone is begun anew,
 * once. Called by authority.ts.
 */
import type { Authorization, Client, Order } from "acme-client";
import type { Clock } from "../../../base/clock.ts";
import { LIMITS } from "../../../base/limits.ts";
import { certFailure, detailOf, failureOf, validationProblem, type ProblemDocument } from "../problem.ts";
import type { Challenges } from "./challenges.ts";

/** What the daemon keeps of an order. */
export interface OrderDraft {
  find(): { readonly url: string; readonly key: string } | undefined;
  save(url: string, key: string): void;
  drop(): void;
}

export interface OrderTools {
  readonly client: Client;
  readonly challenges: Challenges;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  newKey(): Promise<string>;
  /** What is to be signed, for the key. */
  requestFor(domain: string, key: string): Promise<Buffer>;
}

/** The chain in PEM and its key. Throws `certificate.failed`, the signal's reason, and what the client throws. */
export async function fulfilOrder(
  domain: string,
  draft: OrderDraft,
  tools: OrderTools,
): Promise<{ readonly cert: string; readonly key: string }> {
  const { client } = tools;
  let { order, key } = (await resumed(draft, client)) ?? (await begun(domain, draft, tools));
  const pause = makePause(tools);
  try {
    for (;;) {
      const { status } = order;
      if (order.status === "pending") await prove(domain, order, tools);
      else if (order.status === "ready")
        order = withUrl(order, await client.finalizeOrder(order, await tools.requestFor(domain, key)));
      else if (order.status === "processing") await pause();
      else if (order.status === "valid") return { cert: await client.getCertificate(order), key };
      else throw refusal(order);
      if (order.status !== "valid") order = await client.getOrder(order);
      if (order.status === "pending" && status === "pending") await pause();
    }
  } catch (error) {
    if (!isOver(error)) throw error;
    draft.drop();
    throw asExpired(error);
  }
}

// --- internal ---

interface Underway {
  readonly order: Order;
  readonly key: string;
}

/** Nothing where there was none, or the authority knows it no more. */
async function resumed(draft: OrderDraft, client: Client): Promise<Underway | undefined> {
  const kept = draft.find();
  if (kept === undefined) return undefined;
  try {
    const order = await client.getOrder({ url: kept.url } as Order);
    if (order.status !== "invalid") return { order, key: kept.key };
  } catch (error) {
    if (!isOver(error)) throw error;
  }
  draft.drop();
  return undefined;
}

async function begun(domain: string, draft: OrderDraft, tools: OrderTools): Promise<Underway> {
  const key = await tools.newKey();
  const order = await tools.client.createOrder({ identifiers: [{ type: "dns", value: domain }] });
  draft.save(order.url, key);
  return { order, key };
}

/** Shows the authority what it looks for, until it has looked. */
async function prove(domain: string, order: Order, tools: OrderTools): Promise<void> {
  const { client, challenges } = tools;
  const pause = makePause(tools);
  using offers = new DisposableStack();
  const asked = new Set<string>();
  for (;;) {
    let open = 0;
    for (const authorization of await client.getAuthorizations(order)) {
      if (authorization.status === "valid") continue;
      const challenge = challengeOf(authorization);
      if (authorization.status !== "pending" || challenge === undefined)
        throw unproved(domain, authorization, challenge);
      open++;
      if (asked.has(challenge.url)) continue;
      // It becomes a part of a path, and of what is answered there.
      if (!/^[\w-]{1,200}$/.test(challenge.token))
        throw certFailure({
          problem: "refused",
          message: "the authority's token can't be answered for",
          type: "over",
        });
      asked.add(challenge.url);
      offers.use(challenges.offer(challenge.token, await client.getChallengeKeyAuthorization(challenge)));
      // One that is being looked at already was asked for by a daemon that was killed.
      if (challenge.status === "pending") await client.completeChallenge(challenge);
    }
    if (open === 0) return;
    await pause();
  }
}

type Challenge = Authorization["challenges"][number] & { readonly error?: ProblemDocument };

function challengeOf({ challenges }: Authorization): Challenge | undefined {
  return challenges.find(({ type }) => type === "http-01");
}

function unproved(
  domain: string,
  { status, expires }: Authorization,
  challenge: Challenge | undefined,
): Error {
  if (challenge === undefined)
    return certFailure({
      problem: "refused",
      message: `the authority offers no HTTP-01 for ${domain}`,
      type: "over",
    });
  if (challenge.error === undefined)
    return certFailure({
      problem: "order-expired",
      message: `the authority calls its leave for ${domain} ${status}${expires === undefined ? "" : ` (it ends at ${expires})`}`,
      type: "over",
    });
  return certFailure({
    problem: validationProblem(challenge.error),
    message: `the authority could not make sure of ${domain}: ${detailOf(challenge.error)}`,
    type: "over",
  });
}

function refusal({ status, expires, error }: Order & { readonly error?: unknown }): Error {
  if (error === undefined || error === null)
    return certFailure({
      problem: "order-expired",
      message: `the authority calls the order ${status}${expires === undefined ? "" : ` (it ends at ${expires})`}`,
      type: "over",
    });
  const document = error as ProblemDocument;
  return certFailure({
    problem: validationProblem(document),
    message: `the authority calls the order ${status}: ${detailOf(document)}`,
    type: "over",
  });
}

/** The order will come to nothing: not so where the authority is only slow, busy, or out of reach. */
function isOver(error: unknown): boolean {
  const { problem, type } = failureOf(error);
  return type === "over" || (type !== undefined && problem !== "rate-limited" && problem !== "unavailable");
}

/** In the middle of an order, an authority that knows nothing of it has let it go. */
function asExpired(error: unknown): unknown {
  const { message, type } = failureOf(error);
  if (!FORGOTTEN.has(type ?? "")) return error;
  return certFailure({ problem: "order-expired", message: `the order is gone: ${message}`, type }, error);
}

const FORGOTTEN = new Set(["notFound", "malformed", "orderNotReady"]);

/** Some answers have no address of the order in them. */
function withUrl(before: Order, after: Order): Order {
  return { ...after, url: before.url };
}

/** Longer each time. */
function makePause({ clock, signal }: Pick<OrderTools, "clock" | "signal">): () => Promise<void> {
  let next: number = LIMITS.certPollMinMs;
  return async () => {
    await clock.sleep(next, signal);
    next = Math.min(next * 1.5, LIMITS.certPollMaxMs);
  };
}
