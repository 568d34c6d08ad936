/** `bun run docs`: writes the references that are made from tables. A test compares them with the tables. */
import "./ensure-install.ts";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { ROOT } from "./run.ts";

const { checkReference } = await import("./docs/check-reference.ts");
const { apiReference, errorReference } = await import("./docs/references.ts");
writeFileSync(join(ROOT, "docs/errors.md"), errorReference());
writeFileSync(join(ROOT, "docs/api.md"), apiReference());
writeFileSync(join(ROOT, "docs/plugin-check.md"), checkReference());
