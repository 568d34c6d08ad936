/** Events as people read them: when, what, about whom, and how the deliveries went. */
import type { EventView } from "../api/operations.ts";
import { LIMITS } from "../base/limits.ts";
import { printable } from "../base/text.ts";
import { table } from "./output.ts";

export function eventTable(events: readonly EventView[]): string {
  const rows = events.map((event) => [event.id, event.at, event.hook, subject(event), deliveries(event)]);
  return table(["ID", "AT", "HOOK", "ABOUT", "DELIVERIES"], rows, "nothing has happened yet");
}

/** One event on one line, in columns that need no second look at the others. */
export function eventLine(event: EventView): string {
  const about = printable(subject(event) ?? "-");
  return `${printable(event.id)}  ${printable(event.at)}  ${printable(event.hook).padEnd(18)}  ${about}  ${deliveries(event)}\n`;
}

// --- internal ---

const SUBJECTS = ["service", "domain", "workspace", "target", "name"];

function subject(event: EventView): string | undefined {
  const found = SUBJECTS.map((key) => event.data[key]).find(
    (value) => typeof value === "string" && value !== "",
  );
  return typeof found === "string" ? found : undefined;
}

function deliveries(event: EventView): string {
  if (event.deliveries.length === 0) return "-";
  return event.deliveries
    .map(({ plugin, state, attempts, error }) => {
      const tries = attempts > 1 ? ` after ${attempts} attempts` : "";
      // Whole: it may end with a command to paste.
      return printable(
        `${plugin} ${state}${tries}${error === null ? "" : `: ${error}`}`,
        LIMITS.errorTextChars,
      );
    })
    .join(" · ");
}
