/** `[[alerts]]` and `[alerting]` of the configuration. Messages complete "found X, wanted …". Used by daemon/config.ts. */
import * as v from "valibot";
import { LIMITS } from "../../base/limits.ts";
import { parseDuration } from "../../base/duration.ts";
import { didYouMean, quote } from "../../base/text.ts";
import { parseByteSize } from "../../base/byte-size.ts";
import { BUILT_IN_ALERTS } from "./built-in.ts";
import { ofWhom, RULE_METRICS, type AlertRule } from "./rule.ts";

const name = v.pipe(
  v.string(),
  v.regex(/^[a-z0-9][a-z0-9-]{0,62}$/, "a name of lower-case letters, digits and dashes, such as cpu-high"),
  v.check(
    (text) => !BUILT_IN_ALERTS.includes(text),
    `another name: ${BUILT_IN_ALERTS.join(", ")} are built in`,
  ),
);

const metric = v.picklist(RULE_METRICS, ({ input }) => {
  const meant = typeof input === "string" ? didYouMean(input, RULE_METRICS) : undefined;
  return meant === undefined
    ? `one of ${RULE_METRICS.join(", ")}`
    : `a metric; did you mean ${quote(meant)}?`;
});

const wantedThreshold = 'a number, or for bytes a size such as "512 MiB"';
const threshold = v.pipe(
  v.union([v.number(), v.string()], wantedThreshold),
  v.check(
    (value) => (typeof value === "number" ? Number.isFinite(value) : parseByteSize(value) !== undefined),
    wantedThreshold,
  ),
  v.transform((value) => (typeof value === "number" ? value : (parseByteSize(value) ?? 0))),
);

const wantedDuration = 'a duration up to a day, such as "5m"';
const duration = v.pipe(
  v.string(wantedDuration),
  v.check((text) => (parseDuration(text) ?? Number.POSITIVE_INFINITY) <= DAY_MS, wantedDuration),
  v.transform((text) => parseDuration(text) ?? 0),
);

const rule = v.pipe(
  v.strictObject({
    name,
    metric,
    when: v.optional(v.picklist(["above", "below"], '"above" or "below"'), "above"),
    threshold,
    duration: v.optional(duration, "1m"),
    service: v.optional(
      v.pipe(
        v.string(),
        v.regex(/^(\*|[a-z0-9][a-z0-9-]{0,62})$/, 'the name of a service, or "*" for each of them'),
      ),
    ),
    channels: v.optional(v.array(v.string())),
  }),
  v.forward(
    v.partialCheck(
      [["metric"], ["service"]],
      ({ metric: of, service }) => service === undefined || ofWhom(of) !== "host",
      "nothing: only the host has that metric",
    ),
    ["service"],
  ),
  v.transform(({ service, channels, ...rest }): AlertRule => ({ ...rest, service, channels })),
);

export const alertRules = v.pipe(
  v.array(rule),
  v.maxLength(LIMITS.alertRules, `at most ${LIMITS.alertRules} rules`),
  v.rawCheck(({ dataset, addIssue }) => {
    if (!dataset.typed) return;
    const names = dataset.value.map((each) => each.name);
    const twice = names.findIndex((each, index) => names.indexOf(each) !== index);
    if (twice !== -1)
      addIssue({
        message: "a name that no rule before it has",
        input: names[twice],
        path: [
          { type: "array", origin: "value", input: dataset.value, key: twice, value: dataset.value[twice] },
        ],
      });
  }),
);

/** What holds for all alerts. */
export const alerting = v.strictObject({
  /** Absent: all channels. */
  channels: v.optional(v.array(v.string())),
  disable: v.optional(v.array(v.picklist(BUILT_IN_ALERTS, `one of ${BUILT_IN_ALERTS.join(", ")}`)), []),
});

export type AlertingSettings = v.InferOutput<typeof alerting>;

// --- internal ---

const DAY_MS = 86_400_000;
