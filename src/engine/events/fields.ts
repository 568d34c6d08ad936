/**
 * The field types that events are made of. The message of each is what was wanted, in words that a person reads in
 * `event.invalid`. Used by catalogue.ts alone.
 */
import * as v from "valibot";

export function text() {
  return v.string("a string");
}

export function name() {
  const wanted = "a string that is not empty";
  return v.pipe(v.string(wanted), v.nonEmpty(wanted));
}

export function flag() {
  return v.boolean("true or false");
}

export function finite() {
  return v.pipe(v.number("a number"), v.finite("a finite number"));
}

export function whole(min: number) {
  const wanted = `a whole number, ${min} or more`;
  return v.pipe(v.number(wanted), v.safeInteger(wanted), v.minValue(min, wanted));
}

export function duration() {
  const wanted = "milliseconds, 0 or more";
  return v.pipe(v.number(wanted), v.finite(wanted), v.minValue(0, wanted));
}

export function uuid() {
  return v.pipe(v.string("a UUID"), v.uuid("a UUID"));
}

/** RFC 3339 in UTC. The pattern alone would let month 13 pass. */
export function stamp() {
  const wanted = "a time in UTC such as 2026-11-21T22:02:20.123Z";
  return v.pipe(
    v.string(wanted),
    v.regex(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?Z$/, wanted),
    v.check((at) => !Number.isNaN(Date.parse(at)), wanted),
  );
}
