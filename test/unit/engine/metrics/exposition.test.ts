import { expect, test } from "bun:test";
import { expositionText } from "../../../../src/engine/metrics/exposition.ts";

test("families have help and type, and labels are escaped", () => {
  expect(
    expositionText([
      {
        name: "a_total",
        type: "counter",
        help: "One\\two\nthree.",
        samples: [
          { labels: { service: 'we"b\\x\ny', provider: "docker" }, value: 1.5 },
          { labels: {}, value: 1e21 },
        ],
      },
      { name: "left_out", type: "gauge", help: "Nothing.", samples: [] },
      {
        name: "b",
        type: "gauge",
        help: "Odd.",
        samples: [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY].map((value, index) => ({
          labels: { index: String(index) },
          value,
        })),
      },
    ]),
  ).toBe(
    [
      "# HELP a_total One\\\\two\\nthree.",
      "# TYPE a_total counter",
      'a_total{service="we\\"b\\\\x\\ny",provider="docker"} 1.5',
      "a_total 1e+21",
      "# HELP b Odd.",
      "# TYPE b gauge",
      'b{index="0"} NaN',
      'b{index="1"} +Inf',
      'b{index="2"} -Inf',
      "",
    ].join("\n"),
  );
});
