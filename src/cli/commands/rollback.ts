/** `rollback`: what ran before, again. */
import { argument, command } from "../command.ts";
import { runDeploy } from "../run-deploy.ts";

export const rollback = command({
  words: "rollback",
  summary: "go back to an older version of a service, without a gap",
  args: [{ name: "service" }],
  options: {
    to: { type: "integer", value: "VERSION", min: 1, summary: "which one (the one before)" },
    detach: { type: "flag", short: "d", summary: "print the deploy's id and do not wait" },
  },
  example: "voxeltron rollback web\nvoxeltron rollback web --to 3",
  notes: [
    "It is a deploy like others: a new version with the image, the settings and the variables of the old one, which replaces",
    "what runs once it is healthy. Secrets stay as they are now. voxeltron status SERVICE lists the versions that are kept.",
  ],
  async run(context) {
    const { options } = context;
    const service = argument(context, "service");
    const input = {
      service,
      ...(options.to === undefined ? {} : { to: options.to }),
      ...(options.detach ? { detach: true } : {}),
    };
    await runDeploy(context, {
      service,
      prepare: async (client) => (signal) => client.stream("deploy.rollback", input, { signal }),
    });
  },
});
