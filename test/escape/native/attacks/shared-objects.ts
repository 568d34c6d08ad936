/** What processes share by numbers and names in the kernel: memory, semaphores and queues of System V and POSIX. */
import { ANSWER, attack, reaches, trace, type NativeAttack } from "../attack.ts";
import { OPEN } from "../flags.ts";

const done = (answer: number) => `answered ${answer}`;

export const SHARED_OBJECTS: readonly NativeAttack[] = [
  attack("make a shared memory segment", trace(/shared memory/), (kernel, at) =>
    kernel.call("shmget", at.ipcKey, 4096, 0o1666),
  ),
  attack("make a semaphore", trace(/semaphore/), (kernel, at) => kernel.call("semget", at.ipcKey, 1, 0o1666)),
  attack("make a message queue", trace(/message queue/), (kernel, at) =>
    kernel.call("msgget", at.ipcKey, 0o1666),
  ),
  attack("make a queue of POSIX", ANSWER, (kernel, at) => {
    const queue = kernel.call("mq_open", at.marker, OPEN.create | OPEN.readWrite, 0o600, 0);
    kernel.call("mq_unlink", at.marker);
    return queue;
  }),
  attack(
    "attach shared memory of others",
    ANSWER,
    (kernel) => kernel.call("shmat", 0x7ffffff0, 0, 0),
    reaches(["EINVAL"], "there is none by this number", "user"),
  ),
  attack("list shared memory of others", ANSWER, (kernel) => {
    const information = 14;
    return done(kernel.call("shmctl", 0, information, new Uint8Array(256)));
  }),
];
