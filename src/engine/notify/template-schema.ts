/** A template in the configuration: a text whose placeholders exist. Read by channel-schema.ts and email-schema.ts. */
import * as v from "valibot";
import { templateProblem } from "./template.ts";

export const template = v.pipe(
  v.string("a text"),
  v.check(
    (text) => templateProblem(text) === undefined,
    (issue) => templateProblem(issue.input) ?? "a template",
  ),
);
