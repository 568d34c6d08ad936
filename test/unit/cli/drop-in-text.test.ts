import { expect, test } from "bun:test";
import type { PluginView } from "../../../src/api/operations.ts";
import { dropInNotes } from "../../../src/cli/drop-in-text.ts";

const plugin: PluginView = {
  name: "my-hook",
  version: "1.0.0",
  tier: null,
  kind: "exec",
  type: "hook",
  builtIn: false,
  folder: "/root/.config/devbox/plugins/my-hook",
  state: "tampered",
  reason: "it is not what was consented to",
  room: null,
  roomReason: null,
};

test("a plugin whose folder was changed is listed with what is wrong and the command that consents", () => {
  expect(dropInNotes([plugin])).toBe(
    "\nfrom /root/.config/devbox/plugins: my-hook\n" +
      "my-hook: it is not what was consented to\n" +
      "tampered: it does not run; to look at what it asks for and consent: voxeltron plugin enable NAME\n",
  );
});

test("one that was installed from elsewhere has its reason alone: enabling it would not help", () => {
  expect(dropInNotes([{ ...plugin, folder: null }])).toBe("\nmy-hook: it is not what was consented to\n");
});
