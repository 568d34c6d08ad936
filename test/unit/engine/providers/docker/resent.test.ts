import { describe, expect, test } from "bun:test";
import { makeResentMessages } from "../../../../../src/engine/providers/docker/resent.ts";

const REMEMBERED = 20_000;
const BODY = Buffer.from("line\n");

/** The stamp of the message with this number. */
function stamp(number: number): string {
  return `2026-01-31T08:00:00.${String(number).padStart(9, "0")}Z`;
}

function sent(count: number) {
  const messages = makeResentMessages();
  for (let number = 1; number <= count; number++)
    expect(messages.has(stamp(number), Buffer.from(`line ${number}\n`))).toBe(false);
  return messages;
}

describe("messages of the engine", () => {
  test("that were sent before are known, as many as are remembered and no more", () => {
    const messages = sent(REMEMBERED + 1);
    expect(messages.has(stamp(2), BODY)).toBe(true);
    expect(messages.has(stamp(1), BODY)).toBe(false);
  });

  test("that are remembered since the clock was put back push out the oldest", () => {
    const messages = sent(REMEMBERED);
    const back = (number: number): string => stamp(number).replace("08:00:00", "07:00:00");
    for (let number = 1; number <= REMEMBERED; number++) expect(messages.has(back(number), BODY)).toBe(false);
    expect(messages.has(stamp(REMEMBERED), BODY)).toBe(false);
    expect(messages.has(back(REMEMBERED - 1), BODY)).toBe(true);
  });
});
