/**
 * The metrics family: `metrics.query({service, metric, from, to, step, aggregate})` over what the daemon has measured. Without a
 * service it is about the host, for which the whole capability is needed. Called by catalogue.ts; who answers is engine/metrics, passed in.
 */
import * as v from "valibot";
import { quote } from "../../base/text.ts";
import { outOfScope } from "./denial.ts";
import { inScope } from "./scopes.ts";
import { method, type Caller, type Method } from "./method.ts";

/** Throws `metrics.unknown`, `metrics.invalid_query` and `service.not_found`. */
export type MetricsSource = (question: MetricsQuestion) => unknown;

export type MetricsQuestion = v.InferOutput<typeof questionSchema>;

/** → `{service, metric, unit, from, to, stepMs, points: [at, value][]}`. */
export function metricsMethods(query: MetricsSource): readonly Method[] {
  return [
    method({
      name: "metrics.query",
      args: "object",
      anyOf: ["metrics_read"],
      params: questionSchema,
      target: ({ service, metric }) => `${service ?? "the host"} ${metric}`,
      scope: ({ service }) => commandSafe(service),
      // Before anything is looked up: what a plugin may not see, it may not learn the existence of either.
      check: (caller, { service }) => checkScope(caller, service),
      run: async (_caller, question) => query(question),
    }),
  ];
}

// --- internal ---

const text = v.pipe(v.string(), v.maxLength(100));

const questionSchema = v.strictObject({
  service: v.optional(text),
  metric: text,
  from: v.optional(text),
  to: v.optional(text),
  step: v.optional(text),
  aggregate: v.optional(v.picklist(["avg", "max"])),
});

function checkScope(caller: Caller, service: string | undefined): void {
  const scope = caller.grants.get("metrics_read");
  if (scope === null || (service !== undefined && inScope(caller, "metrics_read", service))) return;
  const what = service === undefined ? "the host" : `the service ${quote(service)}`;
  throw outOfScope(
    caller,
    "metrics_read",
    `${what} is none of what it may see (${scope?.join(", ") || "none"})`,
    commandSafe(service),
  );
}

/** A name that may stand in a command an operator pastes. */
function commandSafe(service: string | undefined): string | undefined {
  return service !== undefined && /^[a-z0-9][a-z0-9-]*$/.test(service) ? service : undefined;
}
