/** Sends a folder to the daemon: looks at it first, so that what does not fit is said before a byte is sent. */
import type { Client } from "../api/client.ts";
import type { UploadKind } from "../api/operations.ts";

/** The upload's id. Throws `upload.invalid`, `upload.too_large` or what the client throws. */
export async function uploadFolder(
  client: Client,
  folder: string,
  kind: UploadKind,
  signal?: AbortSignal,
): Promise<string> {
  const { listFolder, tarFolder } = await import("../api/folder.ts");
  const { upload } = await client.upload(kind, tarFolder(listFolder(folder, kind)), { signal });
  return upload;
}
