import { expect, test } from "bun:test";
import { logText } from "../../../src/cli/service-text.ts";

const HOSTILE: readonly (readonly [written: string, shown: string])[] = [
  ["plain\ttext é 👩‍🔧", "plain\ttext é 👩‍🔧"],
  ["\u001B[31mred\u001B[0m", "\u001B[31mred\u001B[0m\u001B[0m"],
  ["\u001B[8mhidden", "\u001B[8mhidden\u001B[0m"],
  ["\u001B[2J\u001B[1;1Hgone", "[2J[1;1Hgone"],
  ["\u001B]52;c;cm0gLXJmIH4=\u0007", "]52;c;cm0gLXJmIH4="],
  ["\u009B2J\rover\b\u007F", "2Jover"],
  ["\u202Eelif.exe\u2028", "elif.exe"],
];

test.each(HOSTILE)("a terminal shows colours of %j, and obeys nothing else in it", (written, shown) => {
  expect(logText(written, true)).toBe(shown);
});

test.each(HOSTILE)("whoever pipes %j gets it as it is", (written) => {
  expect(logText(written, false)).toBe(written);
});
