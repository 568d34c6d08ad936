import { expect, test } from "bun:test";
import { terminalLine } from "../../../src/cli/terminal-line.ts";

const ESC = "\u001B";

test("colours stay and end with the line, tabs stay, plain text is as it was", () => {
  expect(terminalLine(`${ESC}[31mred${ESC}[0m\tx`)).toBe(`${ESC}[31mred${ESC}[0m\tx${ESC}[0m`);
  expect(terminalLine("plain ☃")).toBe("plain ☃");
});

test("what could do something to the terminal loses its power", () => {
  const attacks = [
    `${ESC}]0;title\u0007`,
    `${ESC}]52;c;Y2xpcA==\u0007`,
    `${ESC}[2J${ESC}[H`,
    `${ESC}[5n`,
    `${ESC}P+q544e${ESC}\\`,
    "a\rb",
    "a\bb",
    "\u009B2J",
    "\u202Egnp.exe",
    `${ESC}${ESC}[31m[2J`,
  ];
  for (const attack of attacks) {
    const shown = Bun.stripANSI(terminalLine(attack));
    expect(shown).not.toMatch(/[\p{Cc}\p{Cf}]/u);
  }
});
