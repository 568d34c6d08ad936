import { expect, test } from "bun:test";
import { unitIn } from "../../../src/platform/own-unit.ts";

test.each([
  ["the unified hierarchy", "0::/system.slice/voxeltron.service\n", "voxeltron.service"],
  [
    "a group inside of it, as with Delegate=",
    "0::/system.slice/voxeltron.service/daemon\n",
    "voxeltron.service",
  ],
  [
    "systemd's own, beside others",
    "7:memory:/x.service\n1:name=systemd:/system.slice/a.service\n",
    "a.service",
  ],
  ["another controller's alone", "7:memory:/system.slice/a.service\n", undefined],
  ["a terminal", "0::/user.slice/user-1000.slice/session-2.scope\n", undefined],
  ["a user's terminal", "0::/user.slice/user@1000.service/app.slice/app-x.scope\n", undefined],
  ["a container", "0::/\n", undefined],
  ["nothing", "", undefined],
])("%s", (_what, cgroups, unit) => {
  expect(unitIn(cgroups)).toBe(unit);
});
