/**
 * Every event type as a schema: what the engine may emit and what `plugin call --event` may send. The SDK's types are what
 * plugin authors read; `Proven` fails to compile where the two differ. Pure data, no I/O.
 * Used by parse-event.ts. Each schema's message is what was wanted, in words.
 */
import * as v from "valibot";
import { HOOK_NAMES, type EventOf, type HookName } from "../../sdk/index.ts";
import { duration, finite, flag, name, stamp, text, uuid, whole } from "./fields.ts";

const TABLE = {
  on_deploy_start: deploy("on_deploy_start"),
  on_deploy_success: deploy("on_deploy_success"),
  on_deploy_fail: deploy("on_deploy_fail"),
  on_cert_renew: v.strictObject({
    ...base("on_cert_renew"),
    domain: name(),
    ok: flag(),
    issuer: text(),
    notAfter: stamp(),
    error: v.exactOptional(text()),
  }),
  on_backup_complete: v.strictObject({
    ...base("on_backup_complete"),
    target: name(),
    kind: name(),
    ok: flag(),
    bytes: whole(0),
    durationMs: duration(),
    error: v.exactOptional(text()),
  }),
  on_alert: v.strictObject({
    ...base("on_alert"),
    name: name(),
    state: v.picklist(["firing", "resolved"], '"firing" or "resolved"'),
    metric: name(),
    value: finite(),
    threshold: finite(),
    service: v.exactOptional(name()),
    since: stamp(),
    message: text(),
  }),
  pre_create: workspace("pre_create"),
  post_create: workspace("post_create"),
  pre_start: workspace("pre_start"),
  post_start: workspace("post_start"),
  pre_stop: workspace("pre_stop"),
  post_stop: workspace("post_stop"),
  pre_destroy: workspace("pre_destroy"),
  post_destroy: workspace("post_destroy"),
} satisfies Record<HookName, v.GenericSchema>;

export const EVENT_SCHEMAS: { readonly [H in HookName]: v.GenericSchema<unknown, EventOf[H]> } =
  TABLE satisfies Proven;

/** All fields that the hook's event may have. */
export function fieldsOf(hook: HookName): readonly string[] {
  return Object.keys(TABLE[hook].entries);
}

// --- internal ---

/** Compiles only while each schema gives exactly the SDK's type: same keys, same types, same optional fields. */
type Proven = {
  readonly [H in HookName]: Identical<Flat<v.InferOutput<(typeof TABLE)[H]>>, Flat<EventOf[H]>> extends true
    ? v.GenericSchema
    : never;
};
type Flat<T> = { readonly [K in keyof T]: T[K] };
type Identical<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;

function deploy(hook: "on_deploy_start" | "on_deploy_success" | "on_deploy_fail") {
  return v.pipe(
    v.strictObject({
      ...base(hook),
      service: name(),
      domain: name(),
      domains: v.pipe(v.array(text(), "a list of strings"), v.readonly()),
      image: text(),
      version: whole(1),
      provider: name(),
      server: name(),
      durationMs: duration(),
      error: v.exactOptional(text()),
      step: v.exactOptional(text()),
      rolledBack: v.exactOptional(flag()),
    }),
    v.rawCheck(({ dataset, addIssue }) => {
      if (!dataset.typed) return;
      for (const key of FAILURE_FIELDS) {
        const input = dataset.value[key];
        if ((input !== undefined) === (hook === "on_deploy_fail")) continue;
        const message = input === undefined ? "a value" : "nothing: only on_deploy_fail has it";
        addIssue({
          message,
          input,
          path: [{ type: "object", origin: "value", input: { ...dataset.value }, key, value: input }],
        });
      }
    }),
  );
}

/** In `on_deploy_fail` all of them, in the other two none. The type can't say it: one type serves all three hooks. */
const FAILURE_FIELDS = ["error", "step", "rolledBack"] as const;

function workspace(hook: HookName) {
  return v.strictObject({
    ...base(hook),
    workspace: name(),
    event: v.pipe(
      v.string(`"${hook}"`),
      v.check((found) => found === hook, `"${hook}"`),
    ),
    server: name(),
    env: v.pipe(v.record(v.string(), text(), "an object of strings"), v.readonly()),
    provider: name(),
    image: text(),
  });
}

function base(hook: HookName) {
  return {
    id: uuid(),
    hook: v.pipe(
      v.picklist(HOOK_NAMES, `"${hook}"`),
      v.check((found) => found === hook, `"${hook}"`),
    ),
    at: stamp(),
  };
}
