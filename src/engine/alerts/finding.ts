/** What the watches see, as the desk is told it. Pure data. */
import type { AlertRow } from "../../state/alerts.ts";

export interface Finding {
  /** The alert's name: a rule's, or one of the built-in ones. */
  readonly name: string;
  /** What it is about: a service, a plugin, a channel, a domain; empty for the host. */
  readonly subject: string;
  /** The subject, where it is a service, or the service whose it is. */
  readonly service: string | null;
  /** `unclear`: it stays as it was, because it can't be told now, or not yet. */
  readonly state: "on" | "unclear";
  readonly metric: string;
  readonly value: number;
  readonly threshold: number;
  /** One sentence for people. */
  readonly message: string;
}

/**
 * Somebody who looks at one thing again and again. What is its own and not among its findings is over. `firing`: its own alerts that
 * fire now, by which it knows after a restart what it said before. It may take long, and pauses.
 */
export interface Watch {
  /** For the log. */
  readonly what: string;
  owns(name: string): boolean;
  look(firing: readonly AlertRow[]): AsyncIterable<Finding>;
}

/** Tells alerts apart. */
export function keyOf({ name, subject }: Pick<Finding, "name" | "subject">): string {
  return `${name}\0${subject}`;
}
