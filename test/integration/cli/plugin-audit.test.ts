/** `plugin audit` as it is typed and read. */
import { describe, expect, test } from "bun:test";
import { join } from "node:path";
import type { AuditAnswer, AuditCallView } from "../../../src/api/audit-views.ts";
import { tempDir } from "../../harness.ts";
import { fakeDaemon, type Answers } from "./fake-daemon.ts";
import { runCliProcess } from "./run-cli.ts";

const answer: AuditAnswer = {
  uses: [
    {
      plugin: "notifier",
      capability: "notify_send",
      method: "notify.send",
      allowed: 41,
      denied: 2,
      failed: 0,
      firstAt: "2026-01-01T00:00:00.000Z",
      lastAt: "2026-01-09T00:00:00.000Z",
      targets: [
        { target: "ops", calls: 40 },
        { target: "\u001B[31mdev", calls: 1 },
      ],
      targetsInAll: 4,
    },
  ],
  unused: [
    {
      plugin: "notifier",
      capability: "fs_read",
      grantedAt: "2025-10-01T00:00:00.000Z",
      lastUsedAt: null,
      days: 100,
      command: "voxeltron plugin revoke notifier fs_read",
    },
  ],
  keptSince: [{ plugin: "notifier", at: "2026-01-05T00:00:00.000Z" }],
};

const call: AuditCallView = {
  at: "2026-01-09T00:00:00.000Z",
  plugin: "notifier",
  method: "notify.send",
  capability: "notify_send",
  target: "ops",
  outcome: "capability.denied",
  during: "on_deploy_success",
  times: 1,
};

async function run(args: readonly string[], answers: Answers) {
  await using dir = tempDir();
  const socket = join(dir.path, "s");
  await using daemon = fakeDaemon(socket, answers);
  const ran = await runCliProcess(["--socket", socket, "plugin", "audit", ...args]);
  return { ...ran, requests: [...daemon.requests] };
}

describe("plugin audit", () => {
  test("is a table, what is not kept, and what can be taken back with which command", async () => {
    const ran = await run([], { "plugin.audit": () => answer });
    expect(ran.stderr).toBe("");
    expect(ran.stdout).toBe(
      [
        "PLUGIN    CAPABILITY   METHOD       ALLOWED  DENIED  FAILED  LAST                      TARGETS",
        "notifier  notify_send  notify.send  41       2       0       2026-01-09T00:00:00.000Z  ops (40), [31mdev, 2 more",
        "notifier: calls before 2026-01-05T00:00:00.000Z are counted, but not by time",
        "",
        "Granted and not used; to take it back:",
        "  notifier used fs_read never, 100 days: voxeltron plugin revoke notifier fs_read",
        "",
      ].join("\n"),
    );
    expect(ran.requests).toEqual([{ operation: "plugin.audit", input: {} }]);
  });

  test("with --json is the answer as it is", async () => {
    const ran = await run(["notifier", "--denied", "--json"], { "plugin.audit": () => answer });
    expect(JSON.parse(ran.stdout)).toEqual(answer);
    expect(ran.requests[0]?.input).toEqual({ name: "notifier", deniedOnly: true });
  });

  test("with --lines is one call a line", async () => {
    const ran = await run(["notifier", "--lines", "5", "--since", "2026-01-01"], {
      async *"plugin.calls"() {
        yield call;
        return {};
      },
    });
    expect(ran.stdout).toBe(
      "2026-01-09T00:00:00.000Z notifier notify.send ops in on_deploy_success: capability.denied\n",
    );
    expect(ran.requests[0]?.input).toEqual({
      name: "notifier",
      since: "2026-01-01T00:00:00.000Z",
      follow: false,
      limit: 5,
    });
  });

  test("refuses a time that it can't read, with the words of this command", async () => {
    const ran = await run(["--since", "yesterday"], {});
    expect(ran.status).toBe(2);
    expect(ran.stderr).toContain("voxeltron plugin audit --help");
  });
});
