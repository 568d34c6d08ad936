/**
 * What a provider that is a plugin may answer to each action, and what it comes to. Anything else is `plugin.protocol`, and says what was
 * wanted. Pure. Called by provider.ts, look-at-logs.ts and run-command.ts.
 */
import * as v from "valibot";
import { fail } from "../../../base/errors.ts";
import { LIMITS } from "../../../base/limits.ts";
import type { ProviderAction } from "../../../base/provider-actions.ts";
import { printable } from "../../../base/text.ts";
import { INSTANCE_STATES, type InstanceStats, type InstanceStatus, type Upstream } from "../provider.ts";

export interface Answered {
  readonly provider: string;
  readonly action: ProviderAction;
  readonly result: unknown;
}

export function statusFrom(answered: Answered): InstanceStatus {
  const { result } = answered;
  const found = read(answered, statusSchema, typeof result === "string" ? { state: result } : result);
  return present({
    state: found.state,
    exitCode: found.exit_code ?? undefined,
    startedAt: found.started_at ?? undefined,
    restarts: found.restarts ?? undefined,
    detail: typeof found.detail === "string" ? printable(found.detail, LIMITS.errorTextChars) : undefined,
  });
}

/** By the ports' names; a provider that says nothing is reached where it was told to publish. */
export function addressesFrom(answered: Answered): Readonly<Record<string, string>> {
  const { result } = answered;
  // Older plugins answer with any text, such as "started".
  if (typeof result !== "object" || result === null) return {};
  return read(answered, startSchema, result).addresses ?? {};
}

/** `run`: what tells one start from the next where the plugin does not. */
export function statsFrom(answered: Answered, run: string): InstanceStats {
  const found = read(answered, statsSchema, answered.result);
  return present({
    run: found.run ?? run,
    cpuSeconds: found.cpu_seconds,
    memoryBytes: found.memory_bytes,
    memoryLimitBytes: found.memory_limit_bytes ?? undefined,
    networkRxBytes: found.network_rx_bytes ?? undefined,
    networkTxBytes: found.network_tx_bytes ?? undefined,
    blockReadBytes: found.block_read_bytes ?? undefined,
    blockWriteBytes: found.block_write_bytes ?? undefined,
  });
}

export interface LogsAnswer {
  readonly lines: readonly LogLine[];
  /** The last of them has no end yet: more of it may come. */
  readonly isOpen: boolean;
  /** Undefined: it knows no positions. */
  readonly position: string | undefined;
}

export interface LogLine {
  readonly text: string;
  readonly at?: string | null | undefined;
  readonly stream?: "stdout" | "stderr" | null | undefined;
}

/** `tail`: no more was asked for. */
export function logsFrom(answered: Answered, tail?: number): LogsAnswer {
  const { result } = answered;
  if (result === undefined || result === null) return { lines: [], isOpen: false, position: undefined };
  if (typeof result === "string") return linesOf(answered, result, tail);
  const { lines, position } = read(answered, logsSchema, result);
  return { lines, isOpen: false, position: position ?? undefined };
}

export interface ExecAnswer {
  readonly exitCode: number;
  readonly stdout: Uint8Array;
  readonly stderr: Uint8Array;
}

export function execFrom(answered: Answered): ExecAnswer {
  const found = read(answered, execSchema, answered.result);
  return {
    exitCode: found.exit_code,
    stdout: bytesOf(found.stdout, found.stdout_b64),
    stderr: bytesOf(found.stderr, found.stderr_b64),
  };
}

// --- internal ---

const states = INSTANCE_STATES.join(", ");
/** Of what is optional, null says as much as nothing. */
const count = v.pipe(
  v.number("a number"),
  v.finite("a number"),
  v.minValue(0, "a number that is not negative"),
);
const whole = v.pipe(v.number("a whole number"), v.safeInteger("a whole number"));
const text = v.string("a text");
const moment = v.pipe(
  text,
  v.check(
    (value) => /^\d{4}-\d\d-\d\dT/.test(value) && !Number.isNaN(Date.parse(value)),
    "a time as RFC 3339 has it",
  ),
);

const statusSchema = v.object(
  {
    state: v.picklist(INSTANCE_STATES, `one of ${states}`),
    exit_code: v.nullish(whole),
    started_at: v.nullish(moment),
    restarts: v.nullish(count),
    detail: v.nullish(text),
  },
  `one of ${states}, or an object with that as its state`,
);

const address = v.pipe(
  text,
  v.check((value) => parseUpstream(value) !== undefined, 'an address and a port, such as "10.0.3.5:8080"'),
);
const wantedAddresses = "an object of addresses by port";
const startSchema = v.object({
  addresses: v.nullish(
    v.pipe(
      v.unknown(),
      v.check((value) => !Array.isArray(value), wantedAddresses),
      v.record(v.string(), address, wantedAddresses),
    ),
  ),
});

const statsSchema = v.object(
  {
    run: v.nullish(v.pipe(text, v.maxLength(200, "a text of at most 200 characters"))),
    cpu_seconds: count,
    memory_bytes: count,
    memory_limit_bytes: v.nullish(count),
    network_rx_bytes: v.nullish(count),
    network_tx_bytes: v.nullish(count),
    block_read_bytes: v.nullish(count),
    block_write_bytes: v.nullish(count),
  },
  "an object with cpu_seconds and memory_bytes",
);

const logsSchema = v.object(
  {
    lines: v.array(
      v.object(
        {
          text,
          at: v.nullish(moment),
          stream: v.nullish(v.picklist(["stdout", "stderr"], '"stdout" or "stderr"')),
        },
        "an object with a text",
      ),
      "a list of lines",
    ),
    position: v.nullish(
      v.pipe(
        text,
        v.maxLength(
          LIMITS.providerPositionChars,
          `a text of at most ${LIMITS.providerPositionChars} characters`,
        ),
      ),
    ),
  },
  "a text, or an object with lines",
);

const base64 = v.pipe(text, v.base64("base64"));
const execSchema = v.object(
  {
    exit_code: v.pipe(
      whole,
      v.minValue(0, "an exit code from 0 to 255"),
      v.maxValue(255, "an exit code from 0 to 255"),
    ),
    stdout: v.nullish(text),
    stderr: v.nullish(text),
    stdout_b64: v.nullish(base64),
    stderr_b64: v.nullish(base64),
  },
  "an object with exit_code",
);

function read<S extends v.GenericSchema>(
  { provider, action, result }: Answered,
  schema: S,
  value: unknown,
): v.InferOutput<S> {
  const parsed = v.safeParse(schema, value, { abortEarly: true });
  if (parsed.success) return parsed.output;
  const [issue] = parsed.issues;
  const where = v.getDotPath(issue);
  const found = issue.input === undefined ? "nothing" : JSON.stringify(issue.input);
  throw fail(
    "plugin.protocol",
    `${provider} answered ${action} with ${printable(found, 80)}${where === null || typeof result === "string" ? "" : ` as its ${printable(where, 80)}`}, wanted ${issue.message}`,
    { details: { plugin: provider, action, problem: "wrong_result" } },
  );
}

/** `10.0.3.5:8080`, `[fd00::5]:8080`, `web.lan:8080`. */
export function parseUpstream(address: string): Upstream | undefined {
  const [, v6, name, digits] = /^(?:\[([0-9a-f:.]+)\]|([\w.-]{1,253})):(\d{1,5})$/i.exec(address) ?? [];
  const port = Number(digits);
  return port >= 1 && port <= 65_535 ? { host: v6 ?? name ?? "", port } : undefined;
}

/** A text is one value, and may hold millions of lines. */
function linesOf({ provider, action }: Answered, output: string, tail: number | undefined): LogsAnswer {
  const most = tail ?? LIMITS.messageValues;
  const shown = lastLines(output, most);
  if (tail === undefined && shown.length < output.length)
    throw fail("plugin.protocol", `${provider} answered ${action} with more than ${most} lines`, {
      details: { plugin: provider, action, problem: "too_complex" },
    });
  const texts = shown.replaceAll("\r\n", "\n").split("\n");
  const last = texts.pop() ?? "";
  const isOpen = last !== "";
  if (isOpen) texts.push(last);
  return { lines: texts.map((each) => ({ text: each })), isOpen, position: undefined };
}

/** With the one that has no end yet. */
function lastLines(output: string, most: number): string {
  let start = output.length;
  for (let count = 0; count <= most; count++) {
    start = start === 0 ? -1 : output.lastIndexOf("\n", start - 1);
    if (start === -1) return output;
  }
  return output.slice(start + 1);
}

function bytesOf(plain: string | null | undefined, encoded: string | null | undefined): Uint8Array {
  return typeof encoded === "string" ? Buffer.from(encoded, "base64") : Buffer.from(plain ?? "", "utf8");
}

function present<T extends object>(fields: { [K in keyof T]: T[K] | undefined }): T {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as T;
}
