/** A short readable form of any value, for `console` and the log. */

export function inspect(value: unknown): string {
  try {
    return render(value, 0, []);
  } catch {
    return "[unreadable]";
  }
}

// --- internal ---

const DEPTH_MAX = 3;
const ENTRIES_MAX = 100;

function render(value: unknown, depth: number, above: readonly object[]): string {
  if (typeof value === "string") return depth === 0 ? value : JSON.stringify(value);
  if (typeof value === "bigint") return `${value}n`;
  if (typeof value === "symbol") return value.toString();
  if (typeof value === "function") return `[function ${value.name || "anonymous"}]`;
  if (typeof value !== "object" || value === null) return String(value);
  if (above.includes(value)) return "[circular]";
  if (value instanceof Error) return `${value.name}: ${value.message}`;
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? "Invalid Date" : value.toISOString();
  if (value instanceof RegExp) return String(value);
  if (depth >= DEPTH_MAX) return Array.isArray(value) ? "[array]" : "[object]";
  const inner = (part: unknown) => render(part, depth + 1, [...above, value]);
  if (Array.isArray(value)) return list("[", value.map(inner), "]");
  if (ArrayBuffer.isView(value) || value instanceof ArrayBuffer) {
    return `${value.constructor.name}(${value.byteLength} bytes)`;
  }
  if (value instanceof Map) {
    return list(
      "Map {",
      [...value].map(([key, part]) => `${inner(key)} => ${inner(part)}`),
      "}",
    );
  }
  if (value instanceof Set) return list("Set {", [...value].map(inner), "}");
  return list(
    "{",
    Object.entries(value).map(([key, part]) => `${key}: ${inner(part)}`),
    "}",
  );
}

function list(open: string, parts: readonly string[], close: string): string {
  if (parts.length === 0) return open + close;
  const shown = parts.slice(0, ENTRIES_MAX);
  if (parts.length > ENTRIES_MAX) shown.push(`… ${parts.length - ENTRIES_MAX} more`);
  return `${open} ${shown.join(", ")} ${close}`;
}
