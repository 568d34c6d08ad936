/** The operations on workspaces. A part of the contract; joined by operations.ts. */
import * as v from "valibot";
import { name, none, outputChunk, outputStream, stream, unary, workProgress } from "./operation.ts";
import { workspaceDetails, workspaceInput, workspaceView } from "./workspace-schemas.ts";

export const workspaceOperations = {
  "workspace.create": stream(workspaceInput, workProgress, workspaceDetails),
  "workspace.start": stream(v.strictObject({ name }), workProgress, workspaceDetails),
  "workspace.stop": unary(v.strictObject({ name }), workspaceDetails),
  /** `force`: it is forgotten even where its provider does not do what it is asked for; `isLeft`: something may be left there. */
  "workspace.destroy": unary(
    v.strictObject({ name, force: v.optional(v.boolean()) }),
    v.object({ isLeft: v.boolean() }),
  ),
  /** Ends what is being done to it before it is done; answers when that is over. */
  "workspace.cancel": unary(v.strictObject({ name }), none),
  "workspace.list": unary(none, v.object({ workspaces: v.array(workspaceView) })),
  "workspace.info": unary(v.strictObject({ name }), workspaceDetails),
  "workspace.exec": stream(
    v.strictObject({ name, command: v.array(v.string()), stdin: v.optional(v.string()) }),
    outputChunk,
    v.object({ exitCode: v.number() }),
  ),
  /** As far as its provider keeps it; with `follow` then what comes, until it stops. */
  "workspace.logs": stream(
    v.strictObject({
      name,
      follow: v.boolean(),
      lines: v.optional(v.pipe(v.number(), v.integer(), v.minValue(0))),
    }),
    v.object({ at: v.string(), level: v.string(), stream: outputStream, text: v.string() }),
    none,
  ),
} as const;
