/** A key of a channel's that names a file. Used by channel-schema.ts and email-schema.ts. */
import { isAbsolute } from "node:path";
import * as v from "valibot";

export function absoluteFile() {
  return v.pipe(v.string("an absolute path"), v.check(isAbsolute, "an absolute path"));
}
