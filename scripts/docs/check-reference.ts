/** The text of docs/plugin-check.md; its tables are made from host/check/checks.ts. */
import { CHECK_IDS, CHECKS, groupOf, GROUPS } from "../../src/host/check/checks.ts";

export function checkReference(): string {
  const groups = Object.entries(GROUPS).map(([group, heading]) => {
    const rows = CHECK_IDS.filter((check) => groupOf(check) === group).map((check) => {
      const { title, kinds, wanted, advice } = CHECKS[check];
      return `| \`${check}\` | ${title} | ${kinds.length === 4 ? "all" : kinds.join(", ")} | ${cell(wanted)} | ${cell(advice)} |`;
    });
    return `### ${heading}\n\n| check | | for | wanted | what to do |\n|---|---|---|---|---|\n${rows.join("\n")}\n`;
  });
  return `${PROSE}\n${groups.join("\n")}`;
}

// --- internal ---

function cell(text: string): string {
  return text.replaceAll("|", "\\|");
}

const PROSE = `# Checking a plugin

Made by \`bun run docs\`; the tables are those of \`src/host/check/checks.ts\`.

\`voxeltron plugin check DIR\` tries a plugin before anybody installs it: its manifest, its code, each of its hooks, and of a provider each of
its actions, in order and out of order. It needs no daemon, and changes nothing of one.

\`\`\`sh
voxeltron plugin check ./my-plugin
voxeltron plugin check ./my-provider --yes --image alpine:3.22 --junit report.xml
voxeltron plugin check ./my-hook --no-run
\`\`\`

Each check is a line: \`✓\` passed, \`✗\` failed, \`!\` a warning, \`–\` not done, with the reason. Where it did not pass it says what was found, what was
wanted, and what to do. A warning is something that works and that an operator will not like; it does not fail the check.

| option | |
|---|---|
| \`--yes\` | run an executable without asking |
| \`--no-run\` | look at the files alone; run nothing |
| \`--image REF\` | what a provider creates its instances from; \`busybox\` |
| \`--timeout TIME\` | the most that one call may take; what the manifest says, at most \`2m\` |
| \`--only CHECK\` | one check or one group of them, such as \`life\` or \`call.pieces\`; several with commas, or said again |
| \`--junit FILE\` | the results as JUnit's XML too; a warning is a test that passed, with its words |
| \`--json\` | all of it as one document: \`ok\` \`installable\` \`kind\` \`ran\` \`counts\` \`results\` \`capabilities\` \`candidate\` \`problems\` |

| exit status | |
|---|---|
| 0 | no check failed |
| 1 | a check failed |
| 2 | the command line is wrong |
| 5 | it is an executable, and nobody said that it may be run |
| 7 | it can't be installed as it is: its manifest, its files or its code |
| 130 | Ctrl-C; what was started is ended, and what was created destroyed |

## What is run, and where

**JavaScript and WebAssembly** run in the room where they would run in the daemon, confined in the same way, behind the same rules. All that the
manifest asks for is granted, with its scopes. What is behind it are stand-ins: nothing is sent, no container is touched, no secret is one.

| asked for | what the plugin gets |
|---|---|
| \`ctx.kv\`, \`ctx.config\`, \`ctx.log\` | an empty store that works; the manifest's own settings |
| \`fs_read\`, \`fs_write\` | an empty \`files/\` that works, gone after the check |
| \`network_outbound\`, \`fetch\` | each request is answered with 200 and \`{}\`, each connection is taken and ends |
| \`notify_send\` | every channel that is in its scope exists, and takes everything |
| \`docker_read\`, \`docker_write\` | one container of \`web\`, and of each service in its scope; what it creates is kept in memory |
| \`secrets_read\` | \`stand-in for NAME\` |
| \`logs_read\`, \`metrics_read\` | two lines, five points |

The report says which capabilities were used, which were not, and which were tried without being asked for. The last is a failure: what a
manifest does not ask for is never granted. What is under \`optional\` is left out in a second round, as an operator may.

**An executable** runs unsandboxed, as you, with the environment that the daemon would give it: your \`HOME\` is its \`HOME\`. So it is asked for
first; in scripts, \`--yes\` says yes. It runs in a copy of its folder, which is removed, and each call is one process group, which is ended.
What leaves that group is found too, on Linux, and ended when the check is over.

**A provider** makes real instances. Their names begin with \`voxeltron-check-\`, and each is destroyed in the end, also after a failure and after
Ctrl-C; one that can't be is named. They run \`sleep 600\` in the image that \`--image\` names.

Calls that do not end in time count as failed; after two of them nothing more is asked, so a check always ends.

## What fails, and what is a warning

- An answer that is no answer fails: text around the JSON object, a status that is not 0 behind \`ok: true\`, a process that holds the output, a crash.
- \`{"ok": false}\` is an answer. It fails where the request was a good one: an event of the manifest, \`create\` with an image that is there. A gate may
  refuse the sample event: that is a warning. Out of order it is as good as \`ok: true\`, so long as \`status\` then says what is so.
- \`create\` may refuse what it can't do (ports, memory, volumes …), with an error that names it: a warning. To leave it out silently fails.
- A provider whose \`status\` says \`running\` of everything, also of what never was, gets warnings where others fail: it works, and nobody can see
  what has ended.
- A capability that no sample event made it use is a warning.

## The checks
`;
