/** What the API says of workspaces, and is told of them. A part of the contract; called by workspace-operations.ts. */
import * as v from "valibot";
import { isObject } from "../base/is-object.ts";

const text = v.pipe(v.string(), v.maxLength(200));

/** Not records: those would pass over names such as `constructor` without a word. */
function objectOf<T>(is: (value: unknown) => value is T, words: string) {
  return v.custom<Record<string, T>>((value) => isObject(value) && Object.values(value).every(is), words);
}

const isText = (value: unknown): value is string => typeof value === "string";
const isNumber = (value: unknown): value is number => typeof value === "number";

/** The devbox plugin API's CreateOpts, and where it shall run. */
export const workspaceInput = v.strictObject({
  name: text,
  image: v.optional(v.string()),
  provider: v.optional(text),
  server: v.optional(text),
  /** A name or the port inside, and the host's port: `{"app": 8080}`. */
  ports: v.optional(objectOf(isNumber, "an object of ports")),
  env: v.optional(objectOf(isText, "an object of texts")),
  cpus: v.optional(v.number()),
  /** Such as `4g`. */
  memory: v.optional(v.string()),
  /** `SOURCE:TARGET[:ro]`. */
  volumes: v.optional(v.array(v.string())),
  command: v.optional(v.string()),
  /** Then starts it. */
  start: v.optional(v.boolean()),
});

export const workspaceView = v.object({
  name: v.string(),
  /**
   * creating · starting · stopping · destroying · created · running · paused · restarting · stopped · exited · dead · missing · failed (it was
   * never made) · unknown (its provider does not answer)
   */
  state: v.string(),
  /** What somebody else did to it; null: it is as it should be. */
  drift: v.nullable(v.string()),
  /** What it should be: running or stopped. */
  desired: v.picklist(["running", "stopped"]),
  provider: v.string(),
  server: v.string(),
  image: v.nullable(v.string()),
  ports: v.array(
    v.object({
      key: v.string(),
      inside: v.number(),
      outside: v.number(),
      /** Where it is reached from this machine, while it runs; null where nobody can tell. */
      address: v.nullable(v.string()),
    }),
  ),
  /** How the last thing that was tried with it failed. */
  error: v.nullable(v.string()),
  createdAt: v.string(),
});

export const workspaceDetails = v.object({
  ...workspaceView.entries,
  instance: v.string(),
  startedAt: v.nullable(v.string()),
  restarts: v.number(),
  exitCode: v.nullable(v.number()),
  detail: v.nullable(v.string()),
  env: objectOf(isText, "an object of texts"),
  cpus: v.nullable(v.number()),
  memoryBytes: v.nullable(v.number()),
  volumes: v.array(v.string()),
  command: v.nullable(v.array(v.string())),
});
