/**
 * The form of an attack: a whole plugin that wants out, and what must come of it. Pure data, so that any runner can drive it: a room
 * in this process, or the compiled daemon through `plugin call`. In the sources, PLACES are put in by the runner.
 */

export interface Attack {
  readonly name: string;
  /** index.js or index.ts is the main file; its hook is on_deploy_success. */
  readonly files: Readonly<Record<string, string>>;
  readonly expect: {
    /** `ok`, or the error's code. */
    readonly code: string;
    /** What the hook returned, where the code is `ok`. */
    readonly answer?: unknown;
    /** Part of the error's message. */
    readonly words?: string;
    /** Methods that the plugin may call without a grant, and does. */
    readonly calls?: readonly string[];
  };
  /** True where the same code, in a plain Bun Worker, reaches what it wants: the proof that the attack is one. */
  readonly control: boolean;
  readonly deadlineMs?: number;
}

/** What the runner puts into the sources. */
export const PLACES = {
  /** A path at which nothing is and nothing must come to be. */
  canaryFile: "@CANARY_FILE@",
  /** A file with a secret in it. */
  secretFile: "@SECRET_FILE@",
  /** A local server that must not be asked. */
  canaryUrl: "@CANARY_URL@",
  canaryPort: "@CANARY_PORT@",
  /** The name of an environment variable with the secret in it. */
  secretEnv: "@SECRET_ENV@",
} as const;

/** The body of the hook, in JavaScript. */
export function inHook(
  name: string,
  body: string,
  expect: Attack["expect"],
  options: { readonly control?: boolean; readonly deadlineMs?: number } = {},
): Attack {
  return inFiles(
    name,
    { "index.js": `export default { async on_deploy_success(event, ctx) {\n${body}\n} };` },
    expect,
    options,
  );
}

export function inFiles(
  name: string,
  files: Readonly<Record<string, string>>,
  expect: Attack["expect"],
  options: { readonly control?: boolean; readonly deadlineMs?: number } = {},
): Attack {
  return { name, files, expect, control: false, ...options };
}
