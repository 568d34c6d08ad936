/** The words of errors.ts are those of services and deploys: a plugin that asks about containers gets its own codes. Pure. */
import { fail, isVoxError, type ErrorCode } from "../../../../base/errors.ts";

export function containerError(error: unknown): unknown {
  if (!isVoxError(error)) return error;
  const code = CODES[error.code];
  return code === undefined ? error : fail(code, error.message, { hint: error.hint, details: error.details });
}

// --- internal ---

const CODES: Partial<Record<ErrorCode, ErrorCode>> = {
  "instance.not_found": "container.not_found",
  "service.invalid": "container.invalid",
  "service.stopped": "container.not_running",
  "deploy.port_taken": "container.port_taken",
  "deploy.image_not_found": "container.image_not_found",
  "deploy.pull_failed": "container.image_not_found",
  "registry.denied": "container.image_not_found",
};
