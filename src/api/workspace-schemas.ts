/** What the API says of workspaces, and is told of them. A part of the contract; called by workspace-operations.ts. */
import * as v from "valibot";
import { name, objectOf, texts } from "./operation.ts";

/** The devbox plugin API's CreateOpts, and where it shall run. */
export const workspaceInput = v.strictObject({
  name,
  image: v.optional(v.string()),
  provider: v.optional(name),
  server: v.optional(name),
  /** A name or the port inside, and the host's port: `{"app": 8080}`. */
  ports: v.optional(objectOf((value) => typeof value === "number", "an object of ports")),
  env: v.optional(texts),
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
  env: texts,
  cpus: v.nullable(v.number()),
  memoryBytes: v.nullable(v.number()),
  volumes: v.array(v.string()),
  command: v.nullable(v.array(v.string())),
});
