/** What the system says about a file, as an expected failure with the path that the caller named. A full disk and bugs stay as they are. */
import { fail, isVoxError, systemCode, type ErrorCode } from "../../base/errors.ts";
import { quote } from "../../base/text.ts";

export function fileProblem(error: unknown, names: readonly string[]): unknown {
  const code = systemCode(error) ?? "";
  if (isVoxError(error) || FULL.has(code) || !/^E[A-Z]+$/.test(code)) return error;
  const [mapped, words]: readonly [ErrorCode, string] = PROBLEMS[code] ?? [
    "file.failed",
    `can't be used: the system says ${code}`,
  ];
  return fail(mapped, `${quote(names.join("/"))} ${words}`, { cause: error });
}

// --- internal ---

/** base/disk-full.ts has words for these. */
const FULL: ReadonlySet<string> = new Set(["ENOSPC", "EDQUOT"]);

const PROBLEMS: Readonly<Record<string, readonly [ErrorCode, string]>> = {
  ENOENT: ["file.not_found", "does not exist"],
  EEXIST: ["file.exists", "exists already"],
  ENOTEMPTY: ["file.not_empty", "is a folder that is not empty"],
  ENOTDIR: ["file.wrong_type", "is no folder"],
  EISDIR: ["file.wrong_type", "is a folder"],
  ELOOP: ["capability.out_of_scope", "is a link, and links are not followed"],
  ENXIO: ["file.wrong_type", "is neither a file nor a folder"],
  EINVAL: ["capability.invalid_params", "can't be moved into itself"],
  ENAMETOOLONG: ["capability.invalid_params", "has a name that is too long for this disk"],
};
