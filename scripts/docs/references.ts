/** The text of docs/errors.md and docs/api.md, made from base/error-codes.ts and api/operations.ts. */
import { operations } from "../../src/api/operations.ts";
import { ERROR_CODES, KINDS, type ErrorCode } from "../../src/base/error-codes.ts";

export function errorReference(): string {
  const kinds = Object.entries(KINDS).map(
    ([kind, row]) => `| ${kind} | ${row.exit} | ${row.http} | ${row.retryable ? "yes" : "no"} |`,
  );
  const codes = (Object.keys(ERROR_CODES) as ErrorCode[]).map((code) => {
    const row = ERROR_CODES[code];
    return `| \`${code}\` | ${row.kind} | ${KINDS[row.kind].exit} | ${row.hint ?? ""} |`;
  });
  return `# Errors and exit codes

Made from \`src/base/error-codes.ts\` by \`bun run docs\`. Codes are append-only: scripts may branch on them. With \`--json\` an
error is one document on stderr: \`{"error": {"code", "message", "hint", "details"}}\`. Exit status 0 means that it worked.

## Kinds

| kind | exit status | HTTP status | may work when tried again |
|---|---|---|---|
${kinds.join("\n")}

\`voxeltron exec\` ends with the exit status of the command that it ran.

## Codes

| code | kind | exit | what to do |
|---|---|---|---|
${codes.join("\n")}
`;
}

export function apiReference(): string {
  const rows = Object.entries(operations).map(([name, operation]) => {
    const item = operation.mode === "stream" ? `\n  each line: \`{"item": ${shape(operation.item)}}\`` : "";
    const last =
      operation.mode === "stream"
        ? `last line: \`{"end": ${shape(operation.output)}}\``
        : `answer: \`${shape(operation.output)}\``;
    return `### ${name}\n\n- body: \`${shape(operation.input)}\`${item === "" ? "" : `\n-${item.trimStart().replace(/^/, " ")}`}\n- ${last}\n`;
  });
  return `# API

Made from \`src/api/operations.ts\` by \`bun run docs\`. HTTP/1.1 on the daemon's Unix socket: \`POST /v1/<operation>\` with a JSON
object as the body. An error is \`{"error": {"code", "message", "hint", "details"}}\` with the HTTP status of its kind (see
[errors](errors.md)). Long work answers NDJSON; its last line is \`{"end": …}\` or \`{"error": …}\`. Unknown fields of answers must
be ignored: more may come.

\`\`\`sh
curl --unix-socket /run/voxeltron/voxeltron.sock -d '{}' http://voxeltron/v1/service.list
\`\`\`

Folders are sent first: \`POST /v1/upload?kind=plugin|app\` with a tar stream as the body answers \`{upload, files, bytes}\`; the id is
good for ten minutes and one use.

Whoever can open the socket is the operator: see [SECURITY.md](../SECURITY.md).

## Operations

${rows.join("\n")}`;
}

// --- internal ---

interface SchemaNode {
  readonly type: string;
  readonly entries?: Record<string, SchemaNode>;
  readonly item?: SchemaNode;
  readonly wrapped?: SchemaNode;
  readonly options?: readonly (SchemaNode | string)[];
  readonly value?: SchemaNode;
  readonly message?: unknown;
}

/** A schema as one line of TypeScript-like text. */
function shape(schema: unknown): string {
  const node = schema as SchemaNode;
  switch (node.type) {
    case "object":
    case "strict_object": {
      const fields = Object.entries(node.entries ?? {}).map(([key, value]) =>
        value.type === "optional" ? `${key}?: ${shape(value.wrapped)}` : `${key}: ${shape(value)}`,
      );
      return fields.length === 0 ? "{}" : `{${fields.join(", ")}}`;
    }
    case "array":
      return `${shape(node.item)}[]`;
    case "record":
      return `{[key]: ${shape(node.value)}}`;
    case "nullable":
      return `${shape(node.wrapped)} | null`;
    case "picklist":
      return (node.options ?? []).map((option) => JSON.stringify(option)).join(" | ");
    case "union":
      return (node.options ?? []).map((option) => shape(option)).join(" | ");
    case "custom":
      return String(node.message);
    default:
      return node.type;
  }
}
